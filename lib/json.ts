import { isRecord, type JsonRecord, tryOrUndefined } from './values';

/**
 * Deeper values overflow the stack in recursive code (`JSON.stringify`, n8n's own copies). Real data is never this deep.
 */
export const MAX_DEPTH = 500;

/** Parses JSON; undefined if the text is not JSON, or is nested too deeply. */
export function parseJson(source: string): unknown {
	return isDeepText(source) ? undefined : tryOrUndefined(() => JSON.parse(source) as unknown);
}

/** Whether JSON text is nested too deeply. Parsing it first would build millions of lists. */
export function isDeepText(source: string): boolean {
	// A shorter text cannot contain that many pairs of brackets.
	if (source.length < 2 * MAX_DEPTH) return false;
	const brackets = new JsonBrackets();
	brackets.read(source);
	return brackets.deepest > MAX_DEPTH;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** `{` and `}`. They differ from `[` and `]` in this bit only. */
const [OPENING, CLOSING, CASE] = [0x7b, 0x7d, 0x20];

/** Tracks the brackets of JSON that arrives in chunks, reading each character once. */
export class JsonBrackets {
	/** Deepest nesting so far. */
	deepest = 0;
	/** Brackets that are open. */
	depth = 0;
	isInString = false;
	/** Characters of the next chunk that a backslash escapes: 0 or 1. */
	private escaped = 0;

	/** @returns the index after the bracket that closes the first one; undefined if none does so far */
	read(chunk: string, from = 0): number | undefined {
		let at = from + this.escaped;
		this.escaped = 0;
		for (; at < chunk.length; at++) {
			const code = chunk.charCodeAt(at);
			if (code === QUOTE) this.isInString = !this.isInString;
			else if (this.isInString) at += code === BACKSLASH ? 1 : 0;
			else if ((code | CASE) === OPENING) this.open();
			else if ((code | CASE) === CLOSING && --this.depth <= 0) return at + 1;
		}
		this.escaped = at - chunk.length;
		return undefined;
	}

	/** Reads a chunk, also after the end of a value. */
	readAll(chunk: string): void {
		for (let at: number | undefined = 0; at !== undefined; ) at = this.read(chunk, at);
	}

	private open() {
		this.depth++;
		if (this.depth > this.deepest) this.deepest = this.depth;
	}
}

/** Whether a value is nested too deeply. */
export function isTooDeep(value: unknown, depth = 0): boolean {
	if (typeof value !== 'object' || value === null) return false;
	if (depth >= MAX_DEPTH) return true;
	return Object.values(value).some((inner) => isTooDeep(inner, depth + 1));
}

/** JSON with strings instead of numbers that JavaScript cannot represent, and a list of those numbers. */
export interface ExactJson {
	value: unknown;
	unsafeNumbers: string[];
}

/** Numbers with many digits or a three-digit exponent. */
const MAY_BE_LARGE = /(?:^|[\s:,[])-?\d(?:[\d.]{15}|[\d.]*e[+-]?\d{3})/i;

/**
 * Reads JSON without losing a number: Python writes integers of any length.
 *
 * @param value the parsed JSON, if it was parsed already
 */
export function parseExactJson(json: string, value = parseJson(json)): ExactJson {
	const unsafeNumbers: string[] = [];
	if (value === undefined || !MAY_BE_LARGE.test(json)) return { value, unsafeNumbers };
	const exact = (_key: string, entry: unknown, { source = '' }: { source?: string } = {}) => {
		if (typeof entry !== 'number' || isExact(source)) return entry;
		unsafeNumbers.push(source);
		return source;
	};
	return { value: JSON.parse(json, exact) as unknown, unsafeNumbers };
}

/** Parses JSON; numbers that JavaScript cannot represent become strings. */
export function parseJsonExactly(source: string): unknown {
	return parseExactJson(source).value;
}

const MAX_NAMED = 5;

/** The warning about such numbers, as a list with at most one element. */
export function getUnsafeNumberWarnings(numbers: readonly string[]): string[] {
	const names = [...new Set(numbers)].slice(0, MAX_NAMED).join(', ');
	return names === '' ? [] : [`${names} exceeds number precision and was kept as text.`];
}

/** Digits that `toPrecision` can write. */
const MAX_DIGITS = 100;

/** Whether a number keeps all of its digits. */
function isExact(token: string) {
	const number = Number(token);
	if (!Number.isFinite(number)) return false;
	if (!/[.e]/i.test(token)) return Number.isSafeInteger(number) || String(number) === token;
	const digits = significantDigits(token);
	if (digits.length > MAX_DIGITS) return false;
	return significantDigits(number.toPrecision(Math.max(1, digits.length))) === digits;
}

function significantDigits(token: string) {
	const [mantissa = ''] = token.toLowerCase().split('e');
	return mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
}

/** Parses a JSON object; undefined for anything else. */
export function parseObject(body: string): JsonRecord | undefined {
	const value = body.trimStart().startsWith('{') ? parseJson(body) : undefined;
	return isRecord(value) ? value : undefined;
}

/** JSON with the keys of every object sorted, so that equal values produce equal text. */
export function stringifyCanonical(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		isRecord(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}
