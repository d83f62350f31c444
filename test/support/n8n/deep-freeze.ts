/** What n8n gives to a node belongs to n8n: other nodes and later executions read it. */

/**
 * Freezes a value of n8n, so that code that changes it throws. Errors, buffers and objects of a class stay as they are.
 *
 * @returns the same value
 */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
	const prototype: unknown = Object.getPrototypeOf(value);
	if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
	Object.freeze(value);
	for (const key of Reflect.ownKeys(value)) {
		const property = Object.getOwnPropertyDescriptor(value, key);
		// Reading a property with a getter may have a meaning.
		if (property !== undefined && 'value' in property) deepFreeze(property.value);
	}
	return value;
}
