/** Lists of any length. */
/** The first value that occurs twice in a list. Lists may come from an item, with any length. */
export function findDuplicate<T>(list: readonly T[]): T | undefined {
	const seen = new Set<T>();
	return list.find((value) => seen.size === seen.add(value).size);
}

/** Appends any number of elements: as arguments of `push`, more than about 120,000 overflow n8n's stack. */
export function pushAll<T>(list: T[], elements: Iterable<T>): void {
	for (const element of elements) list.push(element);
}
