/** JSON without the loss of a digit. */
import { JsonSigns, QUOTES } from './json-signs';
import { parseJson } from './json';
import { parseNumber } from './numbers';

/** JSON whose numbers keep all of their digits. */
export interface ExactJson {
	/** With strings instead of numbers that JavaScript cannot represent. Undefined if the text is not JSON. */
	value: unknown;
	/** These numbers, in their order. */
	unsafeNumbers: string[];
}

/** The same with its text. */
export interface ExactJsonText extends ExactJson {
	/** JSON text, in which these numbers are strings. */
	json: string;
}

/** Numbers with many digits or a three-digit exponent. */
const MAY_BE_LARGE = /(?:^|[\s:,[])-?\d(?:[\d.]{15}|[\d.]*e[+-]?\d{3})/i;

/** Such a number with all of its digits, which no digit or letter precedes. */
const LARGE_NUMBER = /(?<=^|[\s:,[])-?\d(?:[\d.]{15,}(?:e[+-]?\d+)?|[\d.]*e[+-]?\d{3,})/gi;

/**
 * Reads JSON without losing a number: Python writes integers of any length.
 *
 * @param value - The parsed JSON, if it was parsed already.
 */
export function parseExactJson(json: string, value: unknown = parseJson(json)): ExactJsonText {
	const unsafeNumbers: string[] = [];
	if (value === undefined || !MAY_BE_LARGE.test(json)) return { json, value, unsafeNumbers };
	const quoted = quoteUnsafeNumbers(json, unsafeNumbers);
	return unsafeNumbers.length === 0
		? { json, value, unsafeNumbers }
		: { json: quoted, value: JSON.parse(quoted), unsafeNumbers };
}

/**
 * Writes the numbers that JavaScript cannot represent as strings. Not a reviver of `JSON.parse`, which takes ten times
 * the time, and up to 400 bytes for each value.
 *
 * @param unsafeNumbers - Receives these numbers
 */
function quoteUnsafeNumbers(json: string, unsafeNumbers: string[]): string {
	const parts: string[] = [];
	const strings = new StringFinder(json);
	let end = 0;
	for (const { 0: number, index } of json.matchAll(LARGE_NUMBER)) {
		if (strings.contains(index) || isExact(number)) continue;
		unsafeNumbers.push(number);
		parts.push(json.slice(end, index), JSON.stringify(number));
		end = index + number.length;
	}
	return parts.join('') + json.slice(end);
}

/** Whether places in JSON, asked for in their order, are in a string. */
class StringFinder {
	private readonly signs = new JsonSigns(QUOTES);
	/** Whether what precedes the next quotation mark is in a string. */
	private isInString = false;
	/** The next quotation mark, which may be far away: it is looked for once. */
	private quote: number;

	constructor(private readonly json: string) {
		this.quote = this.signs.next(json, 0);
	}

	contains(index: number): boolean {
		while (this.quote < index) {
			this.isInString = this.signs.isInString;
			this.quote = this.signs.next(this.json, this.quote + 1);
		}
		return this.isInString;
	}
}

/** A number in all of its digits, which `JSON.stringify` writes as they are (Node.js 22 and later). */
export interface ExactNumber {
	readonly rawJSON: string;
}

/** The parts of `JSON` that TypeScript does not know yet. */
const ExactJSON = JSON as unknown as {
	rawJSON(digits: string): ExactNumber;
	parse(
		text: string,
		reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
	): unknown;
};

/**
 * Parses JSON that a user wrote, to send it: numbers that JavaScript cannot represent keep their digits.
 *
 * @returns undefined for text that is not JSON, or is nested too deeply
 */
export function parseJsonToSend(source: string): unknown {
	const value = parseJson(source);
	if (value === undefined || !MAY_BE_LARGE.test(source)) return value;
	return ExactJSON.parse(source, (_key, value, { source: digits = '' }) =>
		typeof value === 'number' && !isExact(digits) ? ExactJSON.rawJSON(digits) : value,
	);
}

/** A number to send: of text with more digits than JavaScript can represent, all of them; undefined if it is none. */
export function toExactNumber(value: unknown): number | ExactNumber | undefined {
	const number = parseNumber(value);
	if (typeof value !== 'string' || number === undefined) return number;
	const digits = value.trim();
	return isJsonNumber(digits) && !isExact(digits) ? ExactJSON.rawJSON(digits) : number;
}

/** Text such as `0x10` or `1_000` is a number, but not in JSON. */
function isJsonNumber(text: string) {
	return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text);
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

const INTEGER = /^-?[1-9]\d*$/;

/** Characters of an integer that JavaScript writes in all of its digits. */
const MAX_INTEGER_LENGTH = 21;

/** Whether a number keeps all of its digits. */
function isExact(token: string) {
	const number = Number(token);
	const written = String(number);
	if (written === token) return true;
	// What follows takes ten times as long, and a list may have 100,000 long numbers.
	if (token.length <= MAX_INTEGER_LENGTH && INTEGER.test(token)) return false;
	const digits = significantDigits(token);
	if (!Number.isFinite(number)) return false;
	if (significantDigits(written) === digits) return true;
	if (!/[.e]/i.test(token) || digits.length > MAX_DIGITS) return false;
	return significantDigits(number.toPrecision(digits.length)) === digits;
}

/** The digits of a number from the first one on that is not 0, without its exponent. */
function significantDigits(token: string) {
	const exponent = token.search(EXPONENT);
	const end = exponent < 0 ? token.length : exponent;
	const start = Math.max(token.search(SIGNIFICANT), 0);
	const point = token.indexOf('.', start);
	if (start >= end) return '';
	return point < 0
		? token.slice(start, end)
		: token.slice(start, point) + token.slice(point + 1, end);
}

const EXPONENT = /e/i;

const SIGNIFICANT = /[1-9]|$/;
