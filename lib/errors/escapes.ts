/** Removes escapes from a text, and remembers where its characters came from, so that a secret is found in any of them. */
import { ENTITY_CHARACTERS } from '../values/html-entities';

/**
 * Characters of a text as numbers, in memory that is used again for the next text: objects and strings of each character
 * would take a hundred times as much time and memory.
 */
export class TextBuffer {
	/** The codes of the characters (UTF-16), and a 0 after the last one. */
	codes: Uint16Array = new Uint16Array(0);
	length = 0;
	/** The memory of the codes. */
	private bytes: Buffer = Buffer.alloc(0);
	/** Where each character begins in the source; of a text without escapes, also where the last one ends. */
	private starts = new Uint32Array(0);
	/** Characters of the source that each character came from; undefined if they end where the next one begins. */
	private width: number | undefined;

	/** Copies a part of a text. */
	load(text: string, from: number, to: number): void {
		this.clear(to - from);
		this.bytes.write(text.slice(from, to), 'utf16le');
		this.length = to - from;
		this.codes[this.length] = 0;
	}

	/**
	 * Removes one layer of escapes.
	 *
	 * @param isRelevant - The characters that matter. Default: all.
	 * @returns whether an escape stood for one of them, or for nothing.
	 */
	unescape(source: TextBuffer, isRelevant?: CharacterSet): boolean {
		const first = findEscape(source);
		if (first === source.length) return false;
		this.clear(source.length);
		const { codes, length } = source;
		const { codes: written, starts } = this;
		let hasRelevant = isRelevant === undefined;
		written.set(codes.subarray(0, first));
		for (let at = 0; at < first; at++) starts[at] = at;
		this.length = first;
		for (let at = first; at < length;) {
			const before = this.length;
			const end = readEscape(codes, at, this);
			if (end === at) {
				written[before] = codes[at]!;
				starts[before] = at++;
				this.length = before + 1;
				continue;
			}
			at = end;
			hasRelevant ||= isRelevantAfter(this, before, isRelevant!);
		}
		this.finish(length);
		return hasRelevant;
	}

	/**
	 * Reads the bytes of base64 as characters of Latin-1.
	 *
	 * @returns whether they may contain a secret, and not only a word or a file that looks like base64.
	 */
	decodeBase64(source: TextBuffer, from: number, to: number): boolean {
		this.clear(to - from);
		this.width = 2;
		let [bits, value, readable, isReadable] = [0, 0, 0, false];
		for (let at = from; at < to; at++) {
			value = (value << 6) | BASE64_VALUES[source.codes[at]!]!;
			bits += 6;
			if (bits < 8) continue;
			bits -= 8;
			const byte = (value >> bits) & 0xff;
			value &= (1 << bits) - 1;
			this.write(byte, at - 1);
			readable = byte >= 0x20 && byte < 0x7f ? readable + 1 : 0;
			if (readable === MIN_READABLE) isReadable = true;
		}
		this.finish(to);
		return isReadable;
	}

	/** Forgets the end. */
	truncate(length: number): void {
		this.finish(this.starts[length]!, length);
	}

	/** Appends a character that begins at `start` in the source. */
	write(code: number, start: number): void {
		this.codes[this.length] = code;
		this.starts[this.length] = start;
		this.length++;
	}

	/** Appends a character of any plane. */
	writePoint(point: number, start: number): void {
		if (point < 0x10000) return this.write(point, start);
		this.write(0xd800 + ((point - 0x10000) >> 10), start);
		this.write(0xdc00 + ((point - 0x10000) & 0x3ff), start);
	}

	/**
	 * @param from - Index of a character.
	 * @param to - Index after the last character.
	 * @returns the range of the source that these characters came from.
	 */
	toSource(from: number, to: number): [from: number, to: number] {
		const { starts, width } = this;
		return [starts[from]!, width === undefined ? starts[to]! : starts[to - 1]! + width];
	}

	/** A part of the text; the default is all of it. */
	slice(from = 0, to = this.length): string {
		return this.bytes.toString('utf16le', 2 * from, 2 * to);
	}

	/** Makes room for so many characters, and forgets the text. */
	clear(length: number): void {
		this.length = 0;
		this.width = undefined;
		if (this.codes.length > length) return;
		this.codes = new Uint16Array(length + 1);
		this.bytes = Buffer.from(this.codes.buffer);
		this.starts = new Uint32Array(length + 1);
	}

	/**
	 * Ends the text.
	 *
	 * @param end - Where its last character ends in the source
	 */
	finish(end: number, length: number = this.length): void {
		this.length = length;
		this.codes[length] = 0;
		this.starts[length] = end;
	}
}

/**
 * Reads the escape that begins at a character, and writes what it stands for. The 0 after the text ends each of them.
 *
 * @returns the index after the escape; the index of its first character if it is none.
 */
type EscapeReader = (codes: Uint16Array, at: number, target: TextBuffer) => number;

const toCode = (character: string) => character.charCodeAt(0);

const EQUALS = toCode('=');

/** By the code of the first character: escapes of JSON, JavaScript, Python, C, URLs, HTML and emails. */
const READERS: readonly (EscapeReader | undefined)[] = Array.from({ length: 128 }, (_one, code) => {
	if (code === toCode('\\')) return readBackslash;
	if (code === toCode('%')) return readPercent;
	if (code === toCode('&')) return readEntity;
	return code === EQUALS ? readQuoted : undefined;
});

const IS_BEGINNING = Uint8Array.from(READERS, (reader) => (reader === undefined ? 0 : 1));

/** Index of the first character that may begin an escape; the length if there is none. */
function findEscape({ codes, length }: TextBuffer) {
	let at = 0;
	while (at < length && (codes[at]! >= 128 || IS_BEGINNING[codes[at]!] === 0)) at++;
	return at;
}

function readEscape(codes: Uint16Array, at: number, target: TextBuffer) {
	const code = codes[at]!;
	return code < 128 && IS_BEGINNING[code] === 1 ? READERS[code]!(codes, at, target) : at;
}

/** Characters, by their codes below 128, and whether others are in it. */
export interface CharacterSet {
	ascii: Uint8Array;
	hasOthers: boolean;
}

/** What an escape in an escape may consist of, what base64 consists of, and dots for what was left out. */
const ALWAYS_RELEVANT = /[A-Za-z0-9\\%&=#;{}+/_.*-]/;

/** The characters of secrets and of what may contain one. Most escapes stand for others, such as quotation marks. */
export function toRelevantCharacters(secrets: readonly string[]): CharacterSet {
	const own = new Set(secrets.join(''));
	const ascii = Uint8Array.from({ length: 128 }, (_one, code) => {
		const character = String.fromCharCode(code);
		return own.has(character) || ALWAYS_RELEVANT.test(character) ? 1 : 0;
	});
	return { ascii, hasOthers: [...own].some((character) => character >= '\u0080') };
}

const DOTS = [...'…•'].map(toCode);

const AT_END_OF_LINE: ReadonlySet<number> = new Set([...'=\r,0123456789'].map(toCode));

/** Whether an escape stood for a relevant character, or for none, so that it joined two. */
function isRelevantAfter({ codes, length }: TextBuffer, from: number, set: CharacterSet) {
	if (from === length) return true;
	const code = codes[from]!;
	if (code >= 128) return set.hasOthers || DOTS.includes(code);
	// An escape in an escape may end a line of an email, which joins it with the next line. So does a number in a list.
	if (code === NEWLINE || code === RETURN)
		return set.ascii[code] === 1 || AT_END_OF_LINE.has(codes[from - 1]!);
	return set.ascii[code] === 1;
}

const UPPER_U = toCode('U');
const LOWER_U = toCode('u');
const LOWER_X = toCode('x');
const BRACE = toCode('{');
const END_BRACE = toCode('}');
const SEMICOLON = toCode(';');
const NUMBER_SIGN = toCode('#');
const NEWLINE = toCode('\n');
const RETURN = toCode('\r');

/** Values of hexadecimal digits; -1 for other characters. */
const DIGITS = Int8Array.from({ length: 128 }, (_one, code) => {
	const value = Number.parseInt(String.fromCharCode(code), 16);
	return Number.isNaN(value) ? -1 : value;
});

const getDigit = (code: number) => (code < 128 ? DIGITS[code]! : -1);

/** The number of exactly `count` digits; -1 if there are fewer. */
function readDigits(codes: Uint16Array, at: number, count: number, base = 16) {
	let value = 0;
	for (let index = 0; index < count; index++) {
		const digit = getDigit(codes[at + index]!);
		if (digit < 0 || digit >= base) return -1;
		value = value * base + digit;
	}
	return value;
}

/** The index after the digits at a place, at most `max` of them. */
function skipDigits(codes: Uint16Array, from: number, max: number, base = 16) {
	let at = from;
	while (at < from + max) {
		const digit = getDigit(codes[at]!);
		if (digit < 0 || digit >= base) break;
		at++;
	}
	return at;
}

/** Zeros that fill up a number. */
const MAX_ZEROS = 8;

function skipZeros(codes: Uint16Array, from: number) {
	let at = from;
	while (at < from + MAX_ZEROS && codes[at] === 0x30) at++;
	// A number of zeros only.
	return at > from && getDigit(codes[at]!) < 0 ? at - 1 : at;
}

const MAX_POINT = 0x10ffff;

/** A point that does not exist is a character that no secret has. */
const toPoint = (value: number) => (value <= MAX_POINT ? value : 0xfffd);

const ALPHANUMERIC = /[\p{L}\p{N}]/u;

const CONTROL_LETTERS = 'bfnrtBFNRT';

/** By the code of a character after a backslash: what both stand for; -1 if that depends on what follows, or for nothing. */
const AFTER_BACKSLASH = Int16Array.from({ length: 128 }, (_one, code) => {
	const character = String.fromCharCode(code);
	const control = CONTROL_LETTERS.indexOf(character);
	if (control >= 0) return '\b\f\n\r\t'.charCodeAt(control % 5);
	return code === 0 || ALPHANUMERIC.test(character) ? -1 : code;
});

function getAfterBackslash(code: number) {
	if (code < 128) return AFTER_BACKSLASH[code]!;
	return ALPHANUMERIC.test(String.fromCharCode(code)) ? -1 : code;
}

function readBackslash(codes: Uint16Array, at: number, target: TextBuffer) {
	const next = codes[at + 1]!;
	const code = getAfterBackslash(next);
	if (code >= 0) {
		target.write(code, at);
		return at + 2;
	}
	if (next === LOWER_U || next === UPPER_U) return readUnit(codes, at, target);
	if ((next | 0x20) === LOWER_X) return writeDigits(codes, at, target, { skip: 2, count: 2 });
	return readOctal(codes, at, target);
}

/** `\053`, and `\53` where no third digit follows that makes a byte. */
function readOctal(codes: Uint16Array, at: number, target: TextBuffer) {
	const max = codes[at + 1]! <= 0x33 ? 3 : 2;
	const end = skipDigits(codes, at + 1, max, 8);
	if (end === at + 1) return at;
	target.write(readDigits(codes, at + 1, end - at - 1, 8), at);
	return end;
}

/** `\u002b`, `\u{2b}`, Python's `\U0000002b`. */
function readUnit(codes: Uint16Array, at: number, target: TextBuffer) {
	if (codes[at + 2] === BRACE) {
		const first = skipZeros(codes, at + 3);
		const end = skipDigits(codes, first, 6);
		if (end === first || codes[end] !== END_BRACE) return at;
		target.writePoint(toPoint(readDigits(codes, first, end - first)), at);
		return end + 1;
	}
	const long = codes[at + 1] === UPPER_U ? readDigits(codes, at + 2, 8) : -1;
	if (long < 0 || long > MAX_POINT) return writeDigits(codes, at, target, { skip: 2, count: 4 });
	target.writePoint(long, at);
	return at + 10;
}

/** Writes the character whose number has `count` digits, `skip` characters after the beginning of its escape. */
function writeDigits(
	codes: Uint16Array,
	at: number,
	target: TextBuffer,
	{ skip, count }: { skip: number; count: number },
) {
	const value = readDigits(codes, at + skip, count);
	if (value < 0) return at;
	target.write(value, at);
	return at + skip + count;
}

function readPercent(codes: Uint16Array, at: number, target: TextBuffer) {
	// JavaScript's old `escape`.
	if ((codes[at + 1]! | 0x20) === LOWER_U)
		return writeDigits(codes, at, target, { skip: 2, count: 4 });
	return readByte(codes, at, target);
}

/** Of emails. An end of line is joined with the next line. */
function readQuoted(codes: Uint16Array, at: number, target: TextBuffer) {
	const next = codes[at + 1]!;
	if (next === NEWLINE) return at + 2;
	if (next === RETURN && codes[at + 2] === NEWLINE) return at + 3;
	return readByte(codes, at, target);
}

/** Characters of an escaped byte, such as `%2F`. */
const BYTE_LENGTH = 3;

/** The bytes of a character in UTF-8; a byte that is not is a character of Latin-1, as in headers. */
function readByte(codes: Uint16Array, at: number, target: TextBuffer) {
	const lead = readDigits(codes, at + 1, 2);
	if (lead < 0) return at;
	const size = getUtf8Size(lead);
	let point = size === 1 ? lead : lead & (0x7f >> size);
	let end = at + BYTE_LENGTH;
	for (let index = 1; index < size; index++, end += BYTE_LENGTH) {
		const byte = codes[end] === codes[at] ? readDigits(codes, end + 1, 2) : -1;
		if (byte >> 6 !== 2) {
			target.write(lead, at);
			return at + BYTE_LENGTH;
		}
		point = (point << 6) | (byte & 0x3f);
	}
	target.writePoint(toPoint(point), at);
	return end;
}

function getUtf8Size(lead: number) {
	if (lead >= 0xf0) return 4;
	if (lead >= 0xe0) return 3;
	return lead >= 0xc0 ? 2 : 1;
}

const MAX_NAME_LENGTH = Object.keys(ENTITY_CHARACTERS).reduce(
	(longest, { length }) => Math.max(longest, length),
	0,
);

/** The characters by the number of their names, in five bits a letter: a string of each name would take longer. */
const ENTITY_CODES = new Map(
	Object.entries(ENTITY_CHARACTERS).map(([name, character]) => [
		[...name].reduce((number, letter) => addLetter(number, toCode(letter)), 0),
		toCode(character),
	]),
);

function addLetter(number: number, code: number) {
	return number * 32 + (code & 31);
}

const isLetter = (code: number) => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

function readEntity(codes: Uint16Array, at: number, target: TextBuffer) {
	if (codes[at + 1] === NUMBER_SIGN) return readNumberedEntity(codes, at, target);
	let [number, end] = [0, at + 1];
	while (end <= at + MAX_NAME_LENGTH && isLetter(codes[end]!))
		number = addLetter(number, codes[end++]!);
	const code = codes[end] === SEMICOLON ? ENTITY_CODES.get(number) : undefined;
	if (code === undefined) return at;
	target.write(code, at);
	return end + 1;
}

function readNumberedEntity(codes: Uint16Array, at: number, target: TextBuffer) {
	const isHex = (codes[at + 2]! | 0x20) === LOWER_X;
	const [base, max] = isHex ? [16, 6] : [10, 7];
	const first = skipZeros(codes, at + (isHex ? 3 : 2));
	const end = skipDigits(codes, first, max, base);
	if (end === first) return at;
	target.writePoint(toPoint(readDigits(codes, first, end - first, base)), at);
	return codes[end] === SEMICOLON ? end + 1 : end;
}

/** The text without one layer of escapes; undefined if it has none. */
export function unescapeText(text: string): string | undefined {
	const [source, target] = [new TextBuffer(), new TextBuffer()];
	source.load(text, 0, text.length);
	return target.unescape(source) ? target.slice() : undefined;
}

/** The beginning of an escape at the end of a text. */
export const UNFINISHED_ESCAPE =
	/(?:\\(?:u[0-9a-f]{0,7}|u\{[0-9a-f]{0,14}|x[0-9a-f]?|[0-3][0-7]?|[4-7])?|%(?:u[0-9a-f]{0,3}|[0-9a-f]?)|&(?:#x?[0-9a-f]{0,14}|[a-z]{0,6})|=(?:[0-9a-f]|\r)?)$/i;

/** In both alphabets; -1 for other characters. */
const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_';

const BASE64_VALUES = Int8Array.from({ length: 128 }, (_one, code) => {
	const at = BASE64_ALPHABET.indexOf(String.fromCharCode(code));
	return at < 64 ? at : at - 2;
});

/** A shorter run cannot contain a secret. */
const MIN_RUN_LENGTH = 11;

/** A longer run is a file: a secret in it is found only if it is not escaped. */
const MAX_RUN_LENGTH = 16 * 1024;

/** Bytes in a row that are characters, as in a secret. */
const MIN_READABLE = 8;

const [UPPER_CASE, LOWER_CASE] = [1, 2];

/**
 * The beginnings and ends, in turn, of all runs of base64 that may contain a secret. They are not words, and not numbers,
 * of which lists of vectors have millions: base64 of a key has letters of both cases.
 */
export function findBase64Runs({ codes, length }: TextBuffer): number[] {
	const runs: number[] = [];
	// Each run has a character at such a place.
	for (let at = MIN_RUN_LENGTH - 1; at < length; at += MIN_RUN_LENGTH) {
		if (!isBase64(codes[at]!)) continue;
		let [start, end] = [at, at + 1];
		while (start > 0 && isBase64(codes[start - 1]!)) start--;
		while (isBase64(codes[end]!)) end++;
		const runLength = end - start;
		if (
			runLength >= MIN_RUN_LENGTH &&
			runLength <= MAX_RUN_LENGTH &&
			hasBothCases(codes, start, end)
		)
			runs.push(start, end);
		while (at + MIN_RUN_LENGTH < end) at += MIN_RUN_LENGTH;
	}
	return runs;
}

const isBase64 = (code: number) => code < 128 && BASE64_VALUES[code]! >= 0;

function hasBothCases(codes: Uint16Array, from: number, to: number) {
	let cases = 0;
	for (let at = from; at < to; at++)
		if (isLetter(codes[at]!)) cases |= codes[at]! < 0x61 ? UPPER_CASE : LOWER_CASE;
	return cases === (UPPER_CASE | LOWER_CASE);
}
