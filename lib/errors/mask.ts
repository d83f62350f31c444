/** Masks secrets in everything that was received: the one place for bodies, values and texts. */
import { parseJson } from '../values/json';
import { JsonSigns, QUOTES } from '../values/json-signs';
import { isRecord } from '../values/records';
import { findSecrets, getSearch } from './find-secrets';
import { NO_SECRETS } from './secrets';

/** What a secret is replaced by. */
const MASK = '***';

/** Replaces secrets in received text: some servers quote the header that they reject. Parts of a secret stay. */
export function mask(text: string, secrets: readonly string[] = NO_SECRETS): string {
	return replaceRanges(text, findSecrets(text, getSearch(secrets)));
}

/** Replaces the ranges of {@link findSecrets}. */
export function replaceRanges(text: string, ranges: readonly number[]): string {
	if (ranges.length === 0) return text;
	const parts: string[] = [];
	let end = 0;
	for (let index = 0; index < ranges.length; index += 2) {
		parts.push(text.slice(end, ranges[index]), MASK);
		end = ranges[index + 1]!;
	}
	return parts.join('') + text.slice(end);
}

/**
 * Masks the body of a response or of an event. In JSON, each string and number is masked as the value that it
 * stands for, and the rest stays to the letter.
 */
export function maskBody(body: string, secrets: readonly string[] = NO_SECRETS): string {
	const ranges = findSecrets(body, getSearch(secrets));
	if (ranges.length === 0) return body;
	if (!/^\s*[{["]/.test(body) || parseJson(body) === undefined) return replaceRanges(body, ranges);
	const parts: string[] = [];
	let at = 0;
	for (let index = 0; index < ranges.length;) {
		const start = ranges[index]!;
		const string = findString(body, at);
		const between = body.slice(at, string.start);
		const literal = body.slice(string.start, string.end);
		parts.push(
			start < string.start ? maskNumbers(between, secrets) : between,
			start < string.end ? maskLiteral(literal, secrets) : literal,
		);
		at = string.end;
		while (index < ranges.length && ranges[index]! < at) index += 2;
	}
	return parts.join('') + body.slice(at);
}

/** The next string of JSON, with its quotation marks; the end of the text if there is none. */
function findString(json: string, from: number): { start: number; end: number } {
	const signs = new JsonSigns(QUOTES);
	const start = signs.next(json, from);
	return { start, end: start === json.length ? start : signs.next(json, start + 1) + 1 };
}

function maskLiteral(literal: string, secrets: readonly string[]): string {
	if (literal === '') return literal;
	const value = JSON.parse(literal) as string;
	const masked = mask(value, secrets);
	return masked === value ? literal : JSON.stringify(masked);
}

/** A key may consist of digits. */
function maskNumbers(json: string, secrets: readonly string[]): string {
	return json.replace(/-?\d[\d.e+-]*/gi, (number) =>
		mask(number, secrets) === number ? number : JSON.stringify(MASK),
	);
}

/** Masks all texts of a value, and the names of its fields. */
export function maskDeep<T>(value: T, secrets: readonly string[] = NO_SECRETS): T {
	if (typeof value === 'string') return mask(value, secrets) as T;
	if (Array.isArray(value)) return value.map((entry: unknown) => maskDeep(entry, secrets)) as T;
	if (!isRecord(value)) return value;
	const entries = Object.entries(value).map(([name, entry]) => [
		mask(name, secrets),
		maskDeep(entry, secrets),
	]);
	return Object.fromEntries(entries) as T;
}
