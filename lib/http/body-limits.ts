/** Limits of response bodies, and the errors above them. */
import { JsonMemory, MAX_JSON_MEMORY } from '../json-memory';

/** A size limit as text. */
export function formatMegabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Characters of a body that an error keeps. More than it shows, so that no key is cut before it is masked. */
export const MAX_RECEIVED_LENGTH = 10_000;

/** The body exceeds the limit. */
export class BodyTooLargeError extends Error {
	/** The beginning of the body. */
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

/** Counts the text of one response. */
export class TextCount {
	private length = 0;

	get isExceeded(): boolean {
		return this.length > MAX_TEXT_LENGTH;
	}

	/** Throws a `TooMuchTextError` for more than 2 MB in total. */
	add(length: number): void {
		this.length += length;
		if (this.isExceeded) throw new TooMuchTextError(MAX_TEXT_LENGTH);
	}
}

/** No character of JSON takes more bytes of memory. */
const MAX_BYTES_PER_CHARACTER = 64;

/** @throws TooManyValuesError for an event that is too large to be parsed */
export function assertFewValues(event: string): void {
	if (event.length * MAX_BYTES_PER_CHARACTER <= MAX_JSON_MEMORY) return;
	const memory = new JsonMemory();
	memory.add(event);
	if (memory.bytes > MAX_JSON_MEMORY)
		throw new TooManyValuesError(MAX_JSON_MEMORY).withReceived(event.slice(0, MAX_RECEIVED_LENGTH));
}
