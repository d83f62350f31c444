export function text(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/**
 * Any JSON value as text. Not `String`, which fails for `{"toString":1}` and gives "[object Object]" for other objects.
 */
export function words(value: unknown): string {
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** A text of at most `most` characters; one that was cut ends in "…". */
export function shortened(text: string, most: number): string {
	if (text.length <= most) return text;
	const characters = [...text.slice(0, 2 * most + 1)];
	return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

export function isRecord(value: unknown): value is JsonRecord {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Deeper values overflow the stack in recursive code (`JSON.stringify`, n8n's own copies). Real data is never as deep.
 */
export const MAX_DEPTH = 500;

/** Objects and lists in one JSON text. Five million take a second and half a gigabyte to parse. */
const MAX_CONTAINERS = 1_000_000;

/** Characters that are looked at in one go: a few milliseconds. */
const STEP_LENGTH = 1_000_000;

/** Parses JSON; undefined where the text is no JSON, is nested too deeply, or holds too much. */
export function parseJson(source: string): unknown {
	if (source.length > 2 * MAX_DEPTH && excessIn(source) !== undefined) return undefined;
	return quietly(() => JSON.parse(source) as unknown);
}

/** The same, which yields between the steps of a long text. */
export function* parseJsonSteps(source: string): Generator<void, unknown> {
	if ((yield* excessSteps(source)) !== undefined) return undefined;
	yield;
	const value = quietly(() => JSON.parse(source) as unknown);
	yield;
	return value;
}

/** The result of work that may fail; undefined where it throws. */
export function quietly<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

/** Whether a value is nested too deeply. */
export function isTooDeep(value: unknown, depth = 0): boolean {
	if (typeof value !== 'object' || value === null) return false;
	if (depth >= MAX_DEPTH) return true;
	return Object.values(value).some((inner) => isTooDeep(inner, depth + 1));
}

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const LIST_START = '['.charCodeAt(0);
const LIST_END = ']'.charCodeAt(0);
const OBJECT_START = '{'.charCodeAt(0);
const OBJECT_END = '}'.charCodeAt(0);

/**
 * What of a JSON text is too much, for an error; undefined for nothing. Looked at before the text is parsed, since
 * millions of lists take seconds to parse.
 */
export function excessIn(source: string): string | undefined {
	return atOnce(excessSteps(source));
}

/** As `resultOf`, which cannot be imported: this file imports nothing. */
function atOnce<R>(work: Generator<void, R>): R {
	let step = work.next();
	while (step.done !== true) step = work.next();
	return step.value;
}

function* excessSteps(source: string): Generator<void, string | undefined> {
	let depth = 0;
	let count = 0;
	let stepEnd = STEP_LENGTH;
	for (let at = 0; at < source.length; at++) {
		if (at >= stepEnd) {
			yield;
			stepEnd = at + STEP_LENGTH;
		}
		const code = source.charCodeAt(at);
		if (code === QUOTE) at = endOfString(source, at);
		else if (code === OBJECT_END || code === LIST_END) depth -= 1;
		else if (code === OBJECT_START || code === LIST_START) {
			depth += 1;
			count += 1;
			if (depth > MAX_DEPTH) return `JSON nested deeper than ${MAX_DEPTH} levels`;
			if (count > MAX_CONTAINERS) return `JSON with more than ${MAX_CONTAINERS} objects and lists`;
		}
	}
	return undefined;
}

/** The index of the quote that ends the string which begins with the one at `start`; beyond the end where none does. */
export function endOfString(source: string, start: number): number {
	const quote = source.charAt(start);
	let end = source.indexOf(quote, start + 1);
	while (end !== -1 && isEscaped(source, end, start)) end = source.indexOf(quote, end + 1);
	return end === -1 ? source.length : end;
}

/** Whether an odd number of backslashes stands before a character of a string. */
function isEscaped(source: string, at: number, start: number): boolean {
	let first = at;
	while (first - 1 > start && source.charCodeAt(first - 1) === BACKSLASH) first -= 1;
	return (at - first) % 2 === 1;
}

/** JSON with texts in place of the numbers that JavaScript cannot represent, and a list of these. */
export interface ExactJson {
	value: unknown;
	large: string[];
}

const MAX_NAMED = 4;

/**
 * Numbers, and the quotes and escapes that tell whether one is inside a text. A pattern for whole texts would overflow
 * the stack.
 */
const TOKENS = /"|\\[^]|-?(?:\d[\d.eE+-]*|(?:NaN|Infinity)\b)/g;

/**
 * Reads JSON without losing a number. Python also writes `NaN`, `Infinity` and `-Infinity`, which are no JSON, and
 * integers of any length.
 *
 * @param parsed the parsed JSON, if it was parsed already
 */
export function exactJson(json: string, parsed?: unknown): ExactJson {
	return atOnce(exactJsonSteps(json, parsed));
}

/** The same, which yields between the steps of a long text. */
export function* exactJsonSteps(json: string, known?: unknown): Generator<void, ExactJson> {
	const parsed = known ?? (yield* parseJsonSteps(json));
	const mayHoldSuch =
		parsed === undefined ? /NaN|Infinity/ : /(?:^|[\s:,[])-?\d(?:[\d.]{15}|[\d.]*e[+-]?\d{3})/i;
	if (!mayHoldSuch.test(json)) return { value: parsed, large: [] };
	const { quoted, large } = yield* quoteLargeNumbers(json);
	if (large.length === 0) return { value: parsed, large };
	return { value: (yield* parseJsonSteps(quoted)) ?? parsed, large };
}

/** JSON with such numbers in quotes. */
function* quoteLargeNumbers(json: string): Generator<void, { quoted: string; large: string[] }> {
	const large: string[] = [];
	const pieces: string[] = [];
	let end = 0;
	let isInText = false;
	for (const { 0: token, index } of json.matchAll(TOKENS)) {
		yield;
		if (token === '"') isInText = !isInText;
		if (isInText || /^["\\]/.test(token) || isExact(token)) continue;
		large.push(token);
		pieces.push(json.slice(end, index), `"${token}"`);
		end = index + token.length;
	}
	return { quoted: pieces.join('') + json.slice(end), large };
}

/** The note for the user about such numbers, as a list of none or one. */
export function keptAsText(numbers: Iterable<string>): string[] {
	const [first, ...more] = new Set(numbers);
	if (first === undefined) return [];
	const names = [first, ...more.slice(0, MAX_NAMED)];
	if (more.length > MAX_NAMED) names.push('…');
	return [`No number of JavaScript holds ${names.join(', ')} exactly: kept as text.`];
}

/** Digits that `toPrecision` can write. */
const MAX_DIGITS = 100;

/** Whether a number keeps all of its digits. */
function isExact(token: string): boolean {
	const number = Number(token);
	if (!Number.isFinite(number)) return false;
	if (!/[.e]/i.test(token)) return Number.isSafeInteger(number) || String(number) === token;
	const digits = significantDigits(token);
	if (digits.length > MAX_DIGITS) return false;
	return significantDigits(number.toPrecision(Math.max(1, digits.length))) === digits;
}

function significantDigits(token: string): string {
	const [mantissa = ''] = token.toLowerCase().split('e');
	return mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
}

/** A text as the pattern that matches it and nothing else. */
export function literalPattern(text: string): string {
	return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Parses a JSON object; undefined for anything else. */
export function parseObject(body: string): JsonRecord | undefined {
	const value = body.trimStart().startsWith('{') ? parseJson(body) : undefined;
	return isRecord(value) ? value : undefined;
}

/** JSON with the keys of every object sorted, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
	return JSON.stringify(value, (_key, inner: unknown) =>
		isRecord(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}

const SWITCH_WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
	...[true, 1, 'true', '1', 'yes', 'on'].map((value): [unknown, boolean] => [value, true]),
	...[false, 0, 'false', '0', 'no', 'off'].map((value): [unknown, boolean] => [value, false]),
]);

/** A boolean as expressions, forms and tables write it ("yes", "off", 1); undefined for anything else. */
export function booleanOf(value: unknown): boolean | undefined {
	return SWITCH_WORDS.get(typeof value === 'string' ? value.trim().toLowerCase() : value);
}

export type JsonRecord = Record<string, unknown>;

/**
 * A text that is not empty. Dify's versions send null, an empty text or nothing for the same (docs/protocols/dify.md
 * 3.11).
 */
export function nonEmptyText(value: unknown): string | undefined {
	return typeof value === 'string' && value !== '' ? value : undefined;
}

export function finiteNumber(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A finite number, also one written as text. */
export function plainNumber(value: unknown): number | undefined {
	if (typeof value !== 'string') return finiteNumber(value);
	const isNumber = /^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/i.test(value.trim());
	return isNumber ? finiteNumber(Number(value)) : undefined;
}

export function asList(value: unknown): unknown[] {
	return Array.isArray(value) ? (value as unknown[]) : [];
}

export function recordsIn(value: unknown): JsonRecord[] {
	return asList(value).filter(isRecord);
}

export function recordOf(value: unknown): JsonRecord {
	return isRecord(value) ? value : {};
}

/** Whether a value is not null, undefined, or an empty text, list or object. */
export function isFilled(value: unknown): boolean {
	if (value === null || value === undefined || value === '') return false;
	if (Array.isArray(value)) return value.length > 0;
	return !isRecord(value) || Object.keys(value).length > 0;
}

/** The fields whose values are filled. */
export function filled<T extends object>(fields: T): Partial<T> {
	return Object.fromEntries(
		Object.entries(fields).filter(([, value]) => isFilled(value)),
	) as Partial<T>;
}

/** The fields that are not undefined, so that `...optional({ a, b })` adds no undefined field to an object. */
export function optional<T extends object>(
	fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
	const set: Partial<Record<keyof T, unknown>> = {};
	for (const name of Object.keys(fields) as Array<keyof T>)
		if (fields[name] !== undefined) set[name] = fields[name];
	return set as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The first value that stands in a list for the second time. Lists may come from an item, with any length. */
export function firstRepeated<T>(list: readonly T[]): T | undefined {
	const seen = new Set<T>();
	return list.find((value) => seen.size === seen.add(value).size);
}

/** Adds the elements of a list, of any length: as arguments of `push`, more than about 120,000 end n8n's stack. */
export function append<T>(list: T[], more: Iterable<T>): void {
	for (const element of more) list.push(element);
}

/** The largest of numbers, as many as there are. @param least what it is at least, and where there is none */
export function largestOf(numbers: Iterable<number>, least = -Infinity): number {
	let largest = least;
	for (const number of numbers) largest = Math.max(largest, number);
	return largest;
}

/** The smallest of numbers, as many as there are. @param most what it is at most, and where there is none */
export function smallestOf(numbers: Iterable<number>, most = Infinity): number {
	let smallest = most;
	for (const number of numbers) smallest = Math.min(smallest, number);
	return smallest;
}
