/** The result of work that may fail; undefined if it throws. */
export function tryOrUndefined<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}
