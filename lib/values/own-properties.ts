/**
 * Names that come from outside (codes of servers, names of fields, types of files) in objects: `constructor` or
 * `toString` finds nothing, and `__proto__` is a name as any other. test/package/foreign-words.test.ts demands these
 * functions for every name that is not known when this code is written.
 */

/** The value of an object's own property; undefined if it has none with this name. */
export function getOwn<V>(
	record: Readonly<Record<string, V>> | undefined,
	name: string | number,
): V | undefined {
	return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Sets an object's own property, and never its prototype. */
export function setOwn<V>(record: Record<string, V>, name: string, value: NoInfer<V>): void {
	Object.defineProperty(record, name, {
		value,
		configurable: true,
		enumerable: true,
		writable: true,
	});
}
