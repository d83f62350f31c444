/** Finds secrets in a text, whole: as they are, in the escapes of JSON, or percent-encoded. In linear time. */
import { memoize } from '../lru-cache';

/** The secrets of a credential, ready for the search. */
export interface SecretSearch {
	/** Each secret as a text without escapes has it. */
	plainForms: readonly string[];
	/** Whether a plus may be an escape. */
	hasSpaces: boolean;
	/** By the lower seven bits of the character or byte with which they begin. */
	byFirst: ReadonlyArray<readonly Secret[] | undefined>;
	isEmpty: boolean;
	/** Characters of the longest range of a text that has one layer of escapes at most. */
	maxLength: number;
}

/** A secret in the forms that are compared. */
interface Secret {
	text: string;
	/** Its UTF-8, one character a byte. */
	bytes: string;
}

/** Prepares the search. */
export const getSearch: (secrets: readonly string[]) => SecretSearch = memoize((texts) => {
	const secrets = texts.map((text) => ({ text, bytes: Buffer.from(text).toString('latin1') }));
	return {
		plainForms: [...new Set(secrets.flatMap(({ text, bytes }) => [text, bytes]))],
		hasSpaces: texts.some((text) => text.includes(' ')),
		byFirst: Array.from({ length: CODE_MASK + 1 }, (_one, code) => {
			const found = secrets.filter((secret) =>
				[secret.text, secret.bytes].some((form) => (form.charCodeAt(0) & CODE_MASK) === code),
			);
			return found.length > 0 ? found : undefined;
		}),
		isEmpty: secrets.length === 0,
		maxLength: texts.reduce((longest, text) => Math.max(longest, getMaxLength(text)), 0),
	};
});

function getMaxLength(secret: string): number {
	return Math.max(
		UNICODE_ESCAPE_LENGTH * secret.length,
		PERCENT_ESCAPE_LENGTH * Buffer.byteLength(secret),
	);
}

const CODE_MASK = 0x7f;

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const SMALL_U = 0x75;

/** Of `\u0041`. */
const UNICODE_ESCAPE_LENGTH = 6;

/** Of `%41`, which is one byte. */
const PERCENT_ESCAPE_LENGTH = 3;

/** What JSON writes behind a backslash, by the code of the character that it means. */
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map(
	['""', '//', '\bb', '\ff', '\nn', '\rr', '\tt'].map((pair) => [
		pair.charCodeAt(0),
		pair.charCodeAt(1),
	]),
);

/** The reverse. */
const ESCAPED_CODES: ReadonlyMap<number, number> = new Map(
	[...SHORT_ESCAPES].map(([code, escape]) => [escape, code]),
);

/** @returns the ranges in order, without overlaps: the index of the first character, that behind the last one, and so on */
export function findSecrets(text: string, search: SecretSearch): number[] {
	const ranges: number[] = [];
	const { byFirst, isEmpty } = search;
	if (isEmpty || isPlainWithoutSecret(text, search)) return ranges;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		const isEscape = code === BACKSLASH || code === PERCENT;
		const secrets = byFirst[code & CODE_MASK];
		if (secrets === undefined && !isEscape) continue;
		const next = code === BACKSLASH ? skipBackslashes(text, at) : at + 1;
		let end = secrets === undefined ? NOT_FOUND : findEnd(text, at, secrets);
		if (end === NOT_FOUND && isEscape) {
			const meant = byFirst[readEscape(text, next) & CODE_MASK];
			if (meant !== undefined) end = findEnd(text, at, meant);
		}
		if (end !== NOT_FOUND) ranges.push(at, end);
		at = Math.max(end, next) - 1;
	}
	return ranges;
}

/** Of a picture, which has megabytes without an escape: they are searched many times faster so. */
function isPlainWithoutSecret(text: string, { plainForms, hasSpaces }: SecretSearch): boolean {
	const hasEscapes = text.includes('\\') || text.includes('%') || (hasSpaces && text.includes('+'));
	return !hasEscapes && !plainForms.some((form) => text.includes(form));
}

/** The character or byte that is meant by an escape, from what is behind its backslash or percent sign. */
function readEscape(text: string, at: number): number {
	if (text.charCodeAt(at - 1) === PERCENT) return readHex(text, at, 2);
	const code = text.charCodeAt(at);
	return code === SMALL_U ? readHex(text, at + 1, 4) : (ESCAPED_CODES.get(code) ?? BACKSLASH);
}

/** Whether a text contains one of the secrets. */
export function containsSecret(text: string, secrets: readonly string[]): boolean {
	return findSecrets(text, getSearch(secrets)).length > 0;
}

const NOT_FOUND = -1;

/** Where the longest secret ends that begins at a place. */
function findEnd(text: string, start: number, secrets: readonly Secret[]): number {
	let longest = NOT_FOUND;
	for (const secret of secrets) {
		const end = compareText(text, start, secret.text);
		longest = Math.max(longest, end === NOT_FOUND ? compareUrl(text, start, secret.bytes) : end);
	}
	return longest;
}

/**
 * Compares a text as it is, and with the escapes of JSON. Any number of backslashes counts as one: JSON in JSON doubles
 * them.
 */
function compareText(text: string, start: number, secret: string): number {
	let at = start;
	for (let index = 0; index < secret.length; index++) {
		const code = secret.charCodeAt(index);
		const next = skipBackslashes(text, at);
		const isEscaped = next > at;
		const nextCode = text.charCodeAt(next);
		if (isEscaped && nextCode === SMALL_U && readHex(text, next + 1, 4) === code) {
			at = next + UNICODE_ESCAPE_LENGTH - 1;
		} else if (code === BACKSLASH) {
			if (!isEscaped) return NOT_FOUND;
			at = next;
			while (secret.charCodeAt(index + 1) === BACKSLASH) index++;
		} else {
			const expected = isEscaped ? SHORT_ESCAPES.get(code) : code;
			if (nextCode !== expected) return NOT_FOUND;
			at = next + 1;
		}
	}
	return at;
}

/** Compares a text in which any character may be percent-encoded, and a space may be a plus. */
function compareUrl(text: string, start: number, bytes: string): number {
	let at = start;
	for (let index = 0; index < bytes.length; index++) {
		const byte = bytes.charCodeAt(index);
		const code = text.charCodeAt(at);
		if (code === PERCENT && readHex(text, at + 1, 2) === byte) at += PERCENT_ESCAPE_LENGTH;
		else if ((code === byte && code !== PERCENT) || (code === PLUS && byte === SPACE)) at++;
		else return NOT_FOUND;
	}
	return at;
}

function skipBackslashes(text: string, from: number): number {
	let at = from;
	while (text.charCodeAt(at) === BACKSLASH) at++;
	return at;
}

/** The number that so many hexadecimal digits are; negative for other characters. */
function readHex(text: string, from: number, digits: number): number {
	let value = 0;
	for (let at = from; at < from + digits; at++) {
		const digit = toHexDigit(text.charCodeAt(at));
		if (digit < 0) return -1;
		value = value * 16 + digit;
	}
	return value;
}

function toHexDigit(code: number): number {
	if (code >= 0x30 && code <= 0x39) return code - 0x30;
	const small = code | 0x20;
	return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1;
}
