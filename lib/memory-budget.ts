/** How much of a response may be kept in parts, by the memory of their values. */
import {
	CONTAINER_BYTES,
	ENTRY_BYTES,
	MAX_JSON_MEMORY,
	PROPERTY_BYTES,
	STRING_BYTES,
} from './json-memory';
import { getOwn } from './values/own-properties';

/**
 * Memory of a parsed value, with the characters of its strings.
 *
 * @param max a larger value is not read to its end
 * @returns bytes; more than `max` for a larger value
 */
export function estimateMemory(value: unknown, max: number = Infinity): number {
	if (typeof value === 'string') return STRING_BYTES + value.length;
	if (typeof value !== 'object' || value === null) return ENTRY_BYTES;
	let bytes = CONTAINER_BYTES;
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length && bytes <= max; index++)
			bytes += estimateMemory(value[index], max - bytes);
		return bytes;
	}
	// `for … in` takes four times as long for an empty object.
	for (const name of Object.keys(value)) {
		if (bytes > max) break;
		const entry = getOwn(value as Record<string, unknown>, name);
		bytes += PROPERTY_BYTES + name.length + estimateMemory(entry, max - bytes);
	}
	return bytes;
}

/** Counts what is kept of a response in parts, up to a limit. */
export class MemoryBudget {
	/** How often there was no room. */
	omissions = 0;
	private bytes = 0;

	constructor(readonly maxBytes: number = MAX_JSON_MEMORY) {}

	/** Takes the room of a value. Returns whether there was enough; otherwise nothing is taken, and the omission counts. */
	take(value: unknown): boolean {
		return this.takeBytes(estimateMemory(value, this.maxBytes - this.bytes));
	}

	/** The same for a value whose memory is known. */
	takeBytes(count: number): boolean {
		const bytes = this.bytes + count;
		if (bytes > this.maxBytes) {
			this.omissions++;
			return false;
		}
		this.bytes = bytes;
		return true;
	}
}
