/**
 * Reads a generator to its end, and gives what it returns. A reader that fails ends it.
 *
 * @param take is given each piece, and waited for
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
