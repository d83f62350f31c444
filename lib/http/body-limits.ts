/** Limits of response bodies, and the errors above them. */
import { formatMegabytes } from '../values/size';
import { JsonMemory, MAX_JSON_MEMORY } from '../json-memory';

/** Characters of a body that an error keeps. More than it shows, so that no key is cut before it is masked. */
export const MAX_RECEIVED_LENGTH = 10_000;

/** The body exceeds the limit. */
export class BodyTooLargeError extends Error {
	/** The beginning of the body, or all that arrived of an event. */
	received = '';

	constructor(readonly maxBytes: number) {
		super(`more than ${formatMegabytes(maxBytes)}`);
		this.name = 'BodyTooLargeError';
	}

	withReceived(received: string): this {
		this.received = received;
		return this;
	}
}

/** JSON has so many values that they would take more memory than `maxBytes`. */
export class TooManyValuesError extends BodyTooLargeError {}

/** The text of one response exceeds the limit: content, reasoning and tool call arguments together. */
export class TooMuchTextError extends BodyTooLargeError {}

/** Characters. About 500,000 tokens, more than the context of most models. */
const MAX_TEXT_LENGTH = 2 * 1024 * 1024;

/** Characters of a text whose work is done in one step. */
const MAX_SHORT_LENGTH = 64 * 1024;

/** Counts the text of one response. */
export class TextCount {
	private length = 0;

	get isExceeded(): boolean {
		return this.length > MAX_TEXT_LENGTH;
	}

	/** Whether reading or checking all of it takes more than some milliseconds. */
	get isLong(): boolean {
		return this.length > MAX_SHORT_LENGTH;
	}

	/** @throws a `TooMuchTextError` for more than 2 MB in total. */
	add(length: number): void {
		this.length += length;
		if (this.isExceeded) throw new TooMuchTextError(MAX_TEXT_LENGTH);
	}
}

/** No character of JSON takes more bytes of memory. */
const MAX_BYTES_PER_CHARACTER = 64;

/** Bytes of memory for each character that an event may have: parsing 2 MB of it takes up to 0.1 s. */
const MEMORY_PER_CHARACTER = 8;

/** Characters of such an event that are kept: as few that parsing them is fast, whatever they are. */
const MAX_KEPT_START = 256 * 1024;

/**
 * @param maxLength - Characters that an event may have
 * @throws a `TooManyValuesError` for an event with so many values that parsing it would block n8n
 */
export function assertFewValues(event: string, maxLength: number): void {
	const maxMemory = Math.min(MEMORY_PER_CHARACTER * maxLength, MAX_JSON_MEMORY);
	if (event.length * MAX_BYTES_PER_CHARACTER <= maxMemory) return;
	const memory = new JsonMemory();
	memory.add(event);
	if (memory.bytes > maxMemory)
		throw new TooManyValuesError(maxMemory).withReceived(event.slice(0, MAX_KEPT_START));
}
