/** Lists of any length: they may come from an item. */

/** The first value that occurs a second time; undefined if there is none. */
export function findDuplicate<T>(list: readonly T[]): T | undefined {
	const seen = new Set<T>();
	for (const value of list) {
		if (seen.has(value)) return value;
		seen.add(value);
	}
	return undefined;
}

/** Appends any number of elements: as arguments of `push`, more than about 120,000 overflow n8n's stack. */
export function pushAll<T>(list: T[], elements: Iterable<T>): void {
	for (const element of elements) list.push(element);
}
