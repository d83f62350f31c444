/** A method of a node, as n8n calls it with the context for `this`, out of a function that takes the context. */
export function withContext<Context, Rest extends unknown[], Result>(
	work: (context: Context, ...rest: Rest) => Result,
) {
	return function (this: Context, ...rest: Rest): Result {
		return work(this, ...rest);
	};
}
