import { isRecord, type JsonRecord, quietly } from './values';

/**
 * Deeper values overflow the stack in recursive code (`JSON.stringify`, n8n's own copies). Real data is never as deep.
 */
export const MAX_DEPTH = 500;

/** Objects and lists in one JSON text. Five million take a second and half a gigabyte to parse. */
const MAX_CONTAINERS = 1_000_000;

/** Parses JSON; undefined where the text is no JSON, is nested too deeply, or holds too much. */
export function parseJson(source: string): unknown {
	if (source.length > 2 * MAX_DEPTH && excessIn(source) !== undefined) return undefined;
	return quietly(() => JSON.parse(source) as unknown);
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
	let depth = 0;
	let count = 0;
	for (let at = 0; at < source.length; at++) {
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
 * @param known the parsed JSON, if it was parsed already
 */
export function exactJson(json: string, known?: unknown): ExactJson {
	const parsed = known ?? parseJson(json);
	const mayHoldSuch =
		parsed === undefined ? /NaN|Infinity/ : /(?:^|[\s:,[])-?\d(?:[\d.]{15}|[\d.]*e[+-]?\d{3})/i;
	if (!mayHoldSuch.test(json)) return { value: parsed, large: [] };
	const { quoted, large } = quoteLargeNumbers(json);
	if (large.length === 0) return { value: parsed, large };
	return { value: parseJson(quoted) ?? parsed, large };
}

/** JSON with such numbers in quotes. */
function quoteLargeNumbers(json: string): { quoted: string; large: string[] } {
	const large: string[] = [];
	const pieces: string[] = [];
	let end = 0;
	let isInText = false;
	for (const { 0: token, index } of json.matchAll(TOKENS)) {
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
