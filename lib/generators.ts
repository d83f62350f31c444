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

/** A list with each entry changed. Yields between the entries: lists from outside may have any length. */
export function* mapInSteps<T, R>(
	list: Iterable<T>,
	change: (entry: T) => R,
): Generator<void, R[]> {
	const changed: R[] = [];
	for (const entry of list) {
		changed.push(change(entry));
		yield;
	}
	return changed;
}

/** Runs work that yields between its steps, without a pause. */
export function resultOf<R>(work: Generator<void, R>): R {
	let step = work.next();
	while (step.done !== true) step = work.next();
	return step.value;
}
