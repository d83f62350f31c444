/**
 * Reads a generator to its end and returns its return value. If `take` throws, the generator is ended.
 *
 * @param take called with each piece, and awaited
 */
export async function readToEnd<T, R>(
	pieces: AsyncGenerator<T, R>,
	take: (piece: T) => unknown = () => undefined,
): Promise<R> {
	try {
		for (;;) {
			const next = await pieces.next();
			if (next.done === true) return next.value;
			await take(next.value);
		}
	} finally {
		await pieces.return(undefined as never);
	}
}
