/** Finds secrets in a text, whole: as they are, in the escapes of JSON, or percent-encoded. In linear time. */
import { memoize } from '../lru-cache';

/** The secrets of a credential, ready for the search. */
export interface SecretSearch {
	/** Each secret as a text without escapes has it. */
	plainForms: readonly string[];
	/** Whether a plus may be an escape. */
	hasSpaces: boolean;
	secrets: readonly Secret[];
	/** Where one of them may begin: its first character and the one after it, in each form. */
	beginning: RegExp;
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
		secrets,
		beginning: new RegExp(secrets.map(toBeginningPattern).join('|'), 'g'),
		isEmpty: secrets.length === 0,
		maxLength: texts.reduce((longest, text) => Math.max(longest, getMaxLength(text)), 0),
	};
});

/**
 * Matches the first character of a secret: in most texts few characters begin one, and a regular expression finds them many
 * times faster than a comparison at each place. Of several backslashes, it matches the last one.
 */
function toBeginningPattern(secret: Secret): string {
	const { text } = secret;
	const first = [...toForms(secret, 0), ...toJsonEscapes(text, 0).map((escape) => `\\\\${escape}`)];
	// Several bytes may stand for the first character, and one backslash for several.
	const isOneByte = text.charCodeAt(0) < FIRST_LONG_CODE && !text.startsWith('\\');
	if (!isOneByte || text.length < 2) return first.join('|');
	const second = [
		...toForms(secret, 1),
		...toJsonEscapes(text, 1).map((escape) => `\\\\+${escape}`),
	].join('|');
	return first.map((form) => `${form}(?=${second})`).join('|');
}

/** Patterns of a character as it is, and percent-encoded. */
function toForms({ text, bytes }: Secret, index: number): string[] {
	const [character, byte] = [text.charAt(index), bytes.charAt(index)];
	return [
		...new Set([escapePattern(character), escapePattern(byte)]),
		`%${toHexPattern(byte.charCodeAt(0), 2)}`,
		...(character === ' ' ? ['\\+'] : []),
	];
}

/** Patterns of what JSON writes behind a backslash. */
function toJsonEscapes(text: string, index: number): string[] {
	const code = text.charCodeAt(index);
	const short = SHORT_ESCAPES.get(code);
	return [
		`u${toHexPattern(code, 4)}`,
		...(short === undefined ? [] : [escapePattern(String.fromCharCode(short))]),
	];
}

/** Hexadecimal digits in small or capital letters. */
function toHexPattern(code: number, digits: number): string {
	const text = code.toString(16).padStart(digits, '0');
	return text.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

const escapePattern = (character: string) =>
	`\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Characters from here on have several bytes in UTF-8. */
const FIRST_LONG_CODE = 0x80;

function getMaxLength(secret: string): number {
	return Math.max(
		UNICODE_ESCAPE_LENGTH * secret.length,
		PERCENT_ESCAPE_LENGTH * Buffer.byteLength(secret),
	);
}

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

/** @returns the ranges in order, without overlaps: the index of the first character, that behind the last one, and so on */
export function findSecrets(text: string, search: SecretSearch): number[] {
	const ranges: number[] = [];
	const { secrets, beginning, isEmpty } = search;
	if (isEmpty || isPlainWithoutSecret(text, search)) return ranges;
	beginning.lastIndex = 0;
	for (let match = beginning.exec(text); match !== null; match = beginning.exec(text)) {
		const start = skipBackslashesBackwards(text, match.index, ranges.at(-1) ?? 0);
		const end = findEnd(text, start, secrets);
		if (end !== NOT_FOUND) ranges.push(start, end);
		beginning.lastIndex = Math.max(end, match.index + 1, skipBackslashes(text, match.index));
	}
	return ranges;
}

/** Of a picture, which has megabytes without an escape: they are searched many times faster so. */
function isPlainWithoutSecret(text: string, { plainForms, hasSpaces }: SecretSearch): boolean {
	const hasEscapes = text.includes('\\') || text.includes('%') || (hasSpaces && text.includes('+'));
	return !hasEscapes && !plainForms.some((form) => text.includes(form));
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

/** The first of the backslashes that end at a place, from a place on; the place itself if none is there. */
function skipBackslashesBackwards(text: string, last: number, from: number): number {
	if (text.charCodeAt(last) !== BACKSLASH) return last;
	let at = last;
	while (at > from && text.charCodeAt(at - 1) === BACKSLASH) at--;
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
