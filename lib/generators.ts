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
