/**
 * Estimates the memory of JSON before it is parsed. Bytes alone are no limit: 45 MB of `{}` become 1 GB of objects.
 *
 * The figures are those of V8 (Node 22 to 24, 64 bits), rounded up.
 */
import { isOpening, JsonSigns } from './values/json-signs';

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

const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;

/** Estimates the memory of JSON that arrives in chunks, reading each character once. */
export class JsonMemory {
	/** Memory of all values so far, without the characters of strings: the limits of bodies count those. */
	bytes = 0;
	/** Deepest nesting so far. */
	deepest = 0;
	/** Properties of all objects so far; a name that an object has twice counts twice. */
	properties = 0;
	private depth = 0;
	private readonly signs = new JsonSigns();

	/** Adds the memory of the next part of the text, which may end anywhere. */
	add(chunk: string): void {
		const { signs } = this;
		for (let at = signs.next(chunk, 0); at < chunk.length; at = signs.next(chunk, at + 1))
			this.addSign(chunk.charCodeAt(at));
	}

	private addSign(code: number): void {
		if (code === COMMA) this.bytes += ENTRY_BYTES;
		else if (code === COLON) {
			this.bytes += PROPERTY_BYTES;
			this.properties++;
		} else if (code === QUOTE) this.bytes += this.signs.isInString ? STRING_BYTES : 0;
		else if (isOpening(code)) {
			this.bytes += CONTAINER_BYTES;
			this.depth++;
			if (this.depth > this.deepest) this.deepest = this.depth;
		} else this.depth--;
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
	// Each event of a stream: a generator takes more memory than what it would read.
	if (isShort(source, limits)) return true;
	const steps = isParsableInSteps(source, limits);
	for (;;) {
		const step = steps.next();
		if (step.done === true) return step.value;
	}
}

/** The same, in steps of some milliseconds. */
export function* isParsableInSteps(
	source: string,
	limits: JsonLimits,
): Generator<undefined, boolean> {
	if (isShort(source, limits)) return true;
	const { maxDepth, maxMemory = MAX_JSON_MEMORY } = limits;
	const memory = new JsonMemory();
	for (let from = 0; from < source.length; from += STEP_LENGTH) {
		if (from > 0) yield;
		memory.add(source.slice(from, from + STEP_LENGTH));
		if (memory.deepest > maxDepth || memory.bytes > maxMemory) return false;
	}
	return true;
}

/** Whether a text cannot contain as many brackets as are too many. */
function isShort(source: string, { maxDepth }: JsonLimits): boolean {
	return source.length < 2 * maxDepth;
}
