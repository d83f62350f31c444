import { isParsable } from './json-memory';

export function asString(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/**
 * Any JSON value as text. Not `String`, which throws for `{"toString":1}` and returns "[object Object]" for other objects.
 */
export function toText(value: unknown): string {
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Shortens a text to `maxLength` characters; a shortened text ends in "…". */
export function truncate(text: string, maxLength: number): string {
	if (text.length <= maxLength) return text;
	const characters = [...text.slice(0, 2 * maxLength + 1)];
	return characters.length <= maxLength ? text : `${characters.slice(0, maxLength - 1).join('')}…`;
}

/** Removes the characters at both ends that a pattern matches. A pattern such as `x+$` would take quadratic time. */
export function withoutEnds(text: string, atStart: RegExp, atEnd: RegExp = atStart): string {
	let from = 0;
	let to = text.length;
	while (from < to && atStart.test(text[from]!)) from++;
	while (to > from && atEnd.test(text[to - 1]!)) to--;
	return text.slice(from, to);
}

/** The message of any thrown value. */
export function getErrorMessage(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

export function isRecord(value: unknown): value is JsonRecord {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The result of work that may fail; undefined if it throws. */
export function tryOrUndefined<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

/** The letters and digits of a text, in lower case: a quotation of it may escape everything else. */
export function normalizeLetters(text: string): string {
	return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
}

/** A boolean as expressions and tables write it ("TRUE", 1); undefined for anything else. */
export function parseBoolean(value: unknown): boolean | undefined {
	const word = toText(value).trim().toLowerCase();
	if (word === 'true' || word === '1') return true;
	return word === 'false' || word === '0' ? false : undefined;
}

export type JsonRecord = Record<string, unknown>;

/**
 * A string that is not empty. Depending on the version, Dify sends null, an empty string or nothing for the same
 * (docs/protocols/dify.md 3.11).
 */
export function asNonEmptyString(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

export function asFiniteNumber(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A finite number, also one written as text. */
export function parseNumber(value: unknown): number | undefined {
	if (typeof value !== 'string') return asFiniteNumber(value);
	const isNumber = /^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(value.trim());
	return isNumber ? asFiniteNumber(Number(value)) : undefined;
}

export function asArray(value: unknown): unknown[] {
	return Array.isArray(value) ? (value as unknown[]) : [];
}

export function asRecords(value: unknown): JsonRecord[] {
	return asArray(value).filter(isRecord);
}

export function asRecord(value: unknown): JsonRecord {
	return isRecord(value) ? value : {};
}

/** Whether a field is empty, or its expression returned nothing. */
export function isUnset(value: unknown): value is undefined | null | '' {
	return value === undefined || value === null || value === '';
}

/** Whether a value is not null, undefined, or an empty text, list or object. */
export function isNonEmpty(value: unknown): boolean {
	if (isUnset(value)) return false;
	if (Array.isArray(value)) return value.length > 0;
	return !isRecord(value) || Object.keys(value).length > 0;
}

/** The fields with non-empty values. */
export function omitEmpty<T extends object>(fields: T): Partial<T> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => isNonEmpty(value)),
	) as Partial<T>;
}

/** The fields that are not undefined, so that `...omitUndefined({ a, b })` adds no undefined field to an object. */
export function omitUndefined<T extends object>(
	fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
	const set: Partial<Record<keyof T, unknown>> = {};
	for (const name of Object.keys(fields) as Array<keyof T>)
		if (fields[name] !== undefined) set[name] = fields[name];
	return set as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** An object with the same names and changed values. */
export function mapValues(record: JsonRecord, change: (value: unknown) => unknown): JsonRecord {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** The first value that occurs twice in a list. Lists may come from an item, with any length. */
export function findDuplicate<T>(list: readonly T[]): T | undefined {
	const seen = new Set<T>();
	return list.find((value) => seen.size === seen.add(value).size);
}

/** Appends any number of elements: as arguments of `push`, more than about 120,000 overflow n8n's stack. */
export function pushAll<T>(list: T[], elements: Iterable<T>): void {
	for (const element of elements) list.push(element);
}

/** The largest of any number of values. `min`: lower bound of the result, returned for an empty list. */
export function maxOf(numbers: readonly number[], min: number = -Infinity): number {
	return numbers.reduce((largest, number) => Math.max(largest, number), min);
}

/** The smallest of any number of values. `max`: upper bound of the result, returned for an empty list. */
export function minOf(numbers: readonly number[], max: number = Infinity): number {
	return numbers.reduce((smallest, number) => Math.min(smallest, number), max);
}

/** Characters that are invalid in HTML, and those that change the direction of text. */
export const UNSAFE_CHARACTERS =
	/(?![\t\n\r])\p{Cc}|\p{Noncharacter_Code_Point}|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Placed inside a tag, it turns the tag into plain text. It is invisible, and tokenizers do not join the text around it. */
export const ZERO_WIDTH_SPACE = '\u200B';

/**
 * Makes a sentence that may quote a server safe to show: n8n's editor renders error descriptions and hints as HTML with
 * links and images, and terminals interpret control characters.
 */
export function toPlainText(sentence: string): string {
	return sentence.replace(UNSAFE_CHARACTERS, '').replace(/<(?=[a-z/!?])/gi, `<${ZERO_WIDTH_SPACE}`);
}

/** A number with this many decimals. */
export function round(value: number, decimals = 1): number {
	return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** The first list in a value: itself, or under one of the names, also within others of them. */
export function findList(
	value: unknown,
	names: readonly string[],
	depth = 3,
): unknown[] | undefined {
	if (Array.isArray(value)) return value;
	if (!isRecord(value) || depth === 0) return undefined;
	return names
		.map((name) => findList(value[name], names, depth - 1))
		.find((list) => list !== undefined);
}

/** All texts in a value, in order. */
export function collectTexts(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return (isRecord(value) ? Object.values(value) : asArray(value)).flatMap(collectTexts);
}

/** Smallest and largest allowed number; infinite if there is no limit on that side. */
export type NumberRange = readonly [min: number, max: number];

export const ANY_NUMBER: NumberRange = [-Infinity, Infinity];

export function isInRange(value: number, [min, max]: NumberRange): boolean {
	return Number.isFinite(value) && value >= min && value <= max;
}

/** The range as text for an error: "a number", "a number from 0", "a number from 0 to 1". */
export function formatRange([min, max]: NumberRange): string {
	const from = min === -Infinity ? '' : ` from ${min}`;
	const to = max === Infinity ? '' : `${from === '' ? ' up' : ''} to ${max}`;
	return `a number${from}${to}`;
}

const CHARACTERS_PER_TOKEN = 4;

/** The first Chinese, Japanese or Korean character. Characters above, such as emoji, have as many tokens. */
const FIRST_IDEOGRAM = 0x2e80;

/** Estimates tokens: about four characters of prose, or one character of Chinese, Japanese or Korean, are one token. */
export function estimateTokens(text: string): number {
	let ideograms = 0;
	for (let index = 0; index < text.length; index++)
		if (text.charCodeAt(index) >= FIRST_IDEOGRAM) ideograms++;
	return ideograms + Math.ceil((text.length - ideograms) / CHARACTERS_PER_TOKEN);
}

/**
 * Deeper values overflow the stack in recursive code (`JSON.stringify`, n8n's own copies). Real data is never this deep.
 */
export const MAX_DEPTH = 500;

/**
 * Parses JSON.
 *
 * @param maxMemory bytes that its values may take, by `JsonMemory`
 * @returns undefined if the text is not JSON, is nested too deeply, or has too many values
 */
export function parseJson(source: string, maxMemory?: number): unknown {
	return isParsable(source, MAX_DEPTH, maxMemory)
		? tryOrUndefined(() => JSON.parse(source) as unknown)
		: undefined;
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

	/** Whether all values have ended. */
	get isComplete(): boolean {
		return this.deepest > 0 && this.depth <= 0 && !this.isInString;
	}

	/** Returns the index after the bracket that closes the first one; undefined if none does so far. */
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
		for (let at: number | undefined = 0; at !== undefined;) at = this.read(chunk, at);
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

/** Such a number with all of its digits, which no digit or letter precedes. */
const LARGE_NUMBER = /(?<=^|[\s:,[])-?\d(?:[\d.]{15,}(?:e[+-]?\d+)?|[\d.]*e[+-]?\d{3,})/gi;

/**
 * Reads JSON without losing a number: Python writes integers of any length. `value`: the parsed JSON, if it was parsed
 * already.
 */
export function parseExactJson(json: string, value: unknown = parseJson(json)): ExactJson {
	const unsafeNumbers: string[] = [];
	if (value === undefined || !MAY_BE_LARGE.test(json)) return { value, unsafeNumbers };
	const quoted = quoteUnsafeNumbers(json, unsafeNumbers);
	return { value: unsafeNumbers.length === 0 ? value : JSON.parse(quoted), unsafeNumbers };
}

/**
 * Writes the numbers that JavaScript cannot represent as strings. Not a reviver of `JSON.parse`, which takes ten times
 * the time, and up to 400 bytes for each value.
 *
 * @param unsafeNumbers receives these numbers
 */
function quoteUnsafeNumbers(json: string, unsafeNumbers: string[]): string {
	const parts: string[] = [];
	const strings = new StringFinder(json);
	let end = 0;
	for (const { 0: number, index } of json.matchAll(LARGE_NUMBER)) {
		if (isExact(number) || strings.contains(index)) continue;
		unsafeNumbers.push(number);
		parts.push(json.slice(end, index), JSON.stringify(number));
		end = index + number.length;
	}
	return parts.join('') + json.slice(end);
}

/** Whether places in JSON, asked for in their order, are in a string. */
class StringFinder {
	/** Where the current string begins or the text outside of strings continues. */
	private at = 0;
	private isInString = false;

	constructor(private readonly json: string) {}

	contains(index: number): boolean {
		for (;;) {
			const quote = this.json.indexOf('"', this.at);
			if (quote < 0 || quote >= index) return this.isInString;
			if (!this.isInString || !this.isEscaped(quote)) this.isInString = !this.isInString;
			this.at = quote + 1;
		}
	}

	/** Whether an odd number of backslashes is before a quote. */
	private isEscaped(quote: number): boolean {
		let start = quote;
		while (start > this.at && this.json.charCodeAt(start - 1) === BACKSLASH) start--;
		return (quote - start) % 2 === 1;
	}
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
	const digits = significantDigits(token);
	if (!Number.isFinite(number)) return false;
	if (significantDigits(String(number)) === digits) return true;
	if (!/[.e]/i.test(token) || digits.length > MAX_DIGITS) return false;
	return significantDigits(number.toPrecision(digits.length)) === digits;
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
