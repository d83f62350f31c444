/**
 * Estimates the memory of JSON before it is parsed. Bytes alone are no limit: 45 MB of `{}` become 1 GB of objects.
 *
 * The figures are those of V8 (Node 22 to 24, 64 bits), rounded up.
 */

/** Of a list or an object, without its entries. */
export const CONTAINER_BYTES = 64;

/** Of a property: its name and place, also in objects whose names are all different. */
export const PROPERTY_BYTES = 64;

/** Of a string, without its characters. */
export const STRING_BYTES = 32;

/** Of an entry of a list. */
export const ENTRY_BYTES = 8;

/**
 * The largest JSON that is parsed at once: about 900,000 empty objects, 400,000 with one property, or 8,000,000 numbers.
 * Parsing it takes up to 0.4 s.
 */
export const MAX_JSON_MEMORY = 64 * 1024 * 1024;

/** Codes of characters. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** `{` and `}` */
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** The only bit in which square and curly brackets differ. */
const CURLY_BIT = 0x20;

/** Characters from one index up to another. */
interface TextRange {
	from: number;
	end: number;
}

/** Estimates the memory of JSON that arrives in chunks, reading each character once. */
export class JsonMemory {
	/** Memory of all values so far, without the characters of strings: the limits of bodies count those. */
	bytes = 0;
	/** Deepest nesting so far. */
	deepest = 0;
	/** Properties of all objects so far; a name that an object has twice counts twice. */
	properties = 0;
	private depth = 0;
	private isInString = false;
	/** Backslashes at the end of the last chunk, within a string. */
	private backslashes = 0;

	/** Adds the memory of the next part of the text, which may end anywhere. */
	add(chunk: string): void {
		for (let at = 0; at < chunk.length; at++)
			if (this.isInString) at = this.skipString(chunk, at);
			else this.readCode(chunk.charCodeAt(at));
	}

	private readCode(code: number): void {
		if (code === COMMA) this.bytes += ENTRY_BYTES;
		else if (code === COLON) {
			this.bytes += PROPERTY_BYTES;
			this.properties++;
		} else if (code === QUOTE) {
			this.bytes += STRING_BYTES;
			this.isInString = true;
			this.backslashes = 0;
		} else if ((code | CURLY_BIT) === OPENING) {
			this.bytes += CONTAINER_BYTES;
			this.depth++;
			if (this.depth > this.deepest) this.deepest = this.depth;
		} else if ((code | CURLY_BIT) === CLOSING) this.depth--;
	}

	/** @returns the index of the closing quote, or the last index. */
	private skipString(chunk: string, start: number): number {
		let from = start;
		for (let at = chunk.indexOf('"', from); at >= 0; at = chunk.indexOf('"', from)) {
			this.isInString = this.countBackslashes(chunk, { from, end: at }) % 2 === 1;
			this.backslashes = 0;
			if (!this.isInString) return at;
			from = at + 1;
		}
		this.backslashes = this.countBackslashes(chunk, { from, end: chunk.length });
		return chunk.length;
	}

	/** The backslashes directly before an index, also those of the last chunk. */
	private countBackslashes(chunk: string, { from, end }: TextRange): number {
		let at = end;
		while (at > from && chunk.charCodeAt(at - 1) === BACKSLASH) at--;
		return end - at + (at === from ? this.backslashes : 0);
	}
}

/** What JSON may have. */
export interface JsonLimits {
	/** Levels of nesting. */
	maxDepth: number;
	/** Bytes, by `JsonMemory`. Default: `MAX_JSON_MEMORY`. */
	maxMemory?: number;
}

/** Characters that are read in some milliseconds. */
const STEP_LENGTH = 1024 * 1024;

/** Whether JSON is small enough to be parsed: neither nested too deeply, nor too large in memory. */
export function isParsable(source: string, limits: JsonLimits): boolean {
	const steps = isParsableInSteps(source, limits);
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

/** The same, in steps of some milliseconds. */
export function* isParsableInSteps(
	source: string,
	{ maxDepth, maxMemory = MAX_JSON_MEMORY }: JsonLimits,
): Generator<undefined, boolean> {
	// A shorter text cannot contain that many brackets.
	if (source.length < 2 * maxDepth) return true;
	const memory = new JsonMemory();
	for (let from = 0; from < source.length; from += STEP_LENGTH) {
		if (from > 0) yield;
		memory.add(source.slice(from, from + STEP_LENGTH));
		if (memory.deepest > maxDepth || memory.bytes > maxMemory) return false;
	}
	return true;
}
