/** Turns a function with a context parameter into a node method, which n8n calls with the context as `this`. */
export function bindContext<Context, Rest extends unknown[], Result>(
	work: (context: Context, ...rest: Rest) => Result,
): (this: Context, ...rest: Rest) => Result {
	return function (this: Context, ...rest: Rest): Result {
		return work(this, ...rest);
	};
}
