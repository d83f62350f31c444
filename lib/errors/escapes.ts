/** Removes escapes from a text, and remembers where its characters came from, so that a secret is found in any of them. */

/**
 * Characters of a text as numbers, in memory that is used again for the next text: objects and strings of each character
 * would take a hundred times as much time and memory.
 */
export class TextBuffer {
	/** The codes of the characters (UTF-16), and a 0 after the last one. */
	codes: Uint16Array = new Uint16Array(0);
	length = 0;
	/** Where each character begins in the source; of a text without escapes, also where the last one ends. */
	private starts = new Uint32Array(0);
	/** Characters of the source that each character came from; undefined if they end where the next one begins. */
	private width: number | undefined;

	/** Copies a part of a text. */
	load(text: string, from: number, to: number): void {
		this.reserve(to - from);
		const { codes } = this;
		for (let at = from; at < to; at++) codes[at - from] = text.charCodeAt(at);
		this.length = to - from;
		codes[this.length] = 0;
	}

	/**
	 * Removes one layer of escapes.
	 *
	 * @returns whether there was one.
	 */
	unescape(source: TextBuffer): boolean {
		this.reserve(source.length);
		this.width = undefined;
		const { codes, length } = source;
		let hasEscape = false;
		for (let at = 0; at < length;) {
			const code = codes[at]!;
			const end = code < READERS.length ? (READERS[code]?.(codes, at, this) ?? at) : at;
			if (end === at) this.write(code, at++);
			else {
				hasEscape = true;
				at = end;
			}
		}
		this.finish(length);
		return hasEscape;
	}

	/**
	 * Reads the bytes of base64 as characters of Latin-1.
	 *
	 * @returns whether they may contain a secret, and not only a word or a file that looks like base64.
	 */
	decodeBase64(source: TextBuffer, from: number, to: number): boolean {
		this.reserve(to - from);
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
		return Buffer.from(this.codes.buffer, 2 * from, 2 * (to - from)).toString('utf16le');
	}

	/** Makes room for so many characters, and forgets the text. */
	private reserve(length: number) {
		this.length = 0;
		if (this.codes.length > length) return;
		this.codes = new Uint16Array(length + 1);
		this.starts = new Uint32Array(length + 1);
	}

	private finish(end: number) {
		this.codes[this.length] = 0;
		this.starts[this.length] = end;
	}
}

/**
 * Reads the escape that begins at a character, and writes what it stands for. The 0 after the text ends each of them.
 *
 * @returns the index after the escape; the index of its first character if it is none.
 */
type EscapeReader = (codes: Uint16Array, at: number, target: TextBuffer) => number;

const toCode = (character: string) => character.charCodeAt(0);

/** By the code of the first character: escapes of JSON, JavaScript, Python, C, URLs, HTML and emails. */
const READERS: readonly (EscapeReader | undefined)[] = Array.from({ length: 128 }, (_one, code) => {
	if (code === toCode('\\')) return readBackslash;
	if (code === toCode('%')) return readPercent;
	if (code === toCode('&')) return readEntity;
	return code === toCode('=') ? readQuoted : undefined;
});

const [UPPER_U, LOWER_U, LOWER_X, BRACE, END_BRACE, SEMICOLON, NUMBER_SIGN, NEWLINE, RETURN] = [
	...'Uux{};#\n\r',
].map(toCode) as [number, number, number, number, number, number, number, number, number];

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

/** Letters after a backslash that are control characters. */
const LETTERS = new Map(
	[...'bfnrtBFNRT'].map((letter, at) => [toCode(letter), '\b\f\n\r\t'.charCodeAt(at % 5)]),
);

function readBackslash(codes: Uint16Array, at: number, target: TextBuffer) {
	const next = codes[at + 1]!;
	if (next === LOWER_U || next === UPPER_U) return readUnit(codes, at, target);
	if ((next | 0x20) === LOWER_X) return writeDigits(codes, at, target, { skip: 2, count: 2 });
	if (next >= 0x30 && next <= 0x33) {
		const value = readDigits(codes, at + 1, 3, 8);
		if (value < 0) return at;
		target.write(value, at);
		return at + 4;
	}
	const letter = LETTERS.get(next);
	if (letter === undefined && (next === 0 || isAlphanumeric(next))) return at;
	target.write(letter ?? next, at);
	return at + 2;
}

const ALPHANUMERIC = /[\p{L}\p{N}]/u;

const ASCII_ALPHANUMERIC = Array.from({ length: 128 }, (_one, code) =>
	ALPHANUMERIC.test(String.fromCharCode(code)),
);

function isAlphanumeric(code: number) {
	return code < 128 ? ASCII_ALPHANUMERIC[code]! : ALPHANUMERIC.test(String.fromCharCode(code));
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

/** Names of characters in HTML. */
const ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	apos: "'",
	ast: '*',
	bsol: '\\',
	colon: ':',
	comma: ',',
	commat: '@',
	dollar: '$',
	equals: '=',
	excl: '!',
	grave: '`',
	gt: '>',
	hat: '^',
	lbrace: '{',
	lbrack: '[',
	lcub: '{',
	lowbar: '_',
	lpar: '(',
	lsqb: '[',
	lt: '<',
	num: '#',
	percnt: '%',
	period: '.',
	plus: '+',
	quest: '?',
	quot: '"',
	rbrace: '}',
	rbrack: ']',
	rcub: '}',
	rpar: ')',
	rsqb: ']',
	semi: ';',
	sol: '/',
	verbar: '|',
	vert: '|',
};

const MAX_NAME_LENGTH = 6;

/** The characters by the number of their names, in five bits a letter: a string of each name would take longer. */
const ENTITY_CODES = new Map(
	Object.entries(ENTITIES).map(([name, character]) => [
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

/** A text that another one contains in another form. */
export interface DecodedText {
	text: string;
	/**
	 * @param from - Index of a character of the decoded text.
	 * @param to - Index after the last character.
	 * @returns the range of the source that these characters came from.
	 */
	toSource(from: number, to: number): [from: number, to: number];
}

/** Whether a text may contain escapes. */
const MAY_BE_ESCAPED = /[\\%&=]/;

/** The text without one layer of escapes; undefined if it has none. */
export function unescapeText(text: string): DecodedText | undefined {
	if (!MAY_BE_ESCAPED.test(text)) return undefined;
	const [source, target] = [new TextBuffer(), new TextBuffer()];
	source.load(text, 0, text.length);
	if (!target.unescape(source)) return undefined;
	return { text: target.slice(), toSource: (from, to) => target.toSource(from, to) };
}

/** The beginning of an escape at the end of a text, whose rest may follow. */
export const UNFINISHED_ESCAPE =
	/(?:\\(?:u[0-9a-f]{0,7}|u\{[0-9a-f]{0,14}|x[0-9a-f]?|[0-3][0-7]?)?|%(?:u[0-9a-f]{0,3}|[0-9a-f]?)|&(?:#x?[0-9a-f]{0,14}|[a-z]{0,6})|=(?:[0-9a-f]|\r)?)$/i;

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
	let [start, cases] = [0, 0];
	for (let at = 0; at <= length; at++) {
		const code = codes[at]!;
		if (code < 128 && BASE64_VALUES[code]! >= 0) {
			if (isLetter(code)) cases |= code < 0x61 ? UPPER_CASE : LOWER_CASE;
			continue;
		}
		const runLength = at - start;
		if (
			cases === (UPPER_CASE | LOWER_CASE) &&
			runLength >= MIN_RUN_LENGTH &&
			runLength <= MAX_RUN_LENGTH
		)
			runs.push(start, at);
		start = at + 1;
		cases = 0;
	}
	return runs;
}
