/**
 * Bytes that are written as numbers, as debug output of programs has them: `6b6579`, `<Buffer 6b 65 79>`, `0x6b, 0x65`,
 * `[107, 101, 121]` (JSON, Python, Rust), `[107 101 121]` (Go).
 */
import type { TextBuffer } from './escapes';
import type { Range } from './secret-patterns';

/** A way to read a part of a text as bytes. */
export interface ByteReader {
	/** Digits of the longest number, at least: without one, the part has no such bytes. */
	minDigits: number;
	/** @returns whether the bytes may contain a secret */
	read(source: TextBuffer, target: TextBuffer, range: ByteRange): boolean;
}

/** A part of a text, of digits and of what may be between numbers. */
export interface ByteRange {
	from: number;
	/** Index after the last character. */
	to: number;
	/** Whether more may follow, so that the last number may be incomplete. Default: false. */
	isOpen?: boolean;
}

/** All ways to read a part: hexadecimal digits in pairs, from the first one and from the second, and decimal numbers. */
const BYTE_READERS: readonly ByteReader[] = [
	{ minDigits: 2, read: (source, target, range) => readHex(source, target, { ...range, skip: 0 }) },
	{ minDigits: 4, read: (source, target, range) => readHex(source, target, { ...range, skip: 1 }) },
	{ minDigits: 2, read: readDecimals },
];

/** The ways to read a part of a text: most lists of numbers need none of them. */
export function getByteReaders({ codes }: TextBuffer, { from, to }: ByteRange): ByteReader[] {
	let [longest, length] = [0, 0];
	for (let at = from; at < to; at++) {
		length = isHexDigit(getKind(codes[at]!)) ? length + 1 : 0;
		if (length > longest) longest = length;
	}
	return BYTE_READERS.filter(({ minDigits }) => longest >= minDigits);
}

/** Characters of the shortest part that may contain a secret: two digits for each of eight bytes. */
const MIN_RUN_LENGTH = 16;

/** Bytes in a row that are characters, as in a secret. */
const MIN_READABLE = 8;

const [OTHER, SEPARATOR, DIGIT, HEX_LETTER, MARK] = [0, 1, 2, 3, 4];

/** The kinds of characters, by their codes. */
const KINDS = Uint8Array.from({ length: 128 }, (_one, code) => {
	const character = String.fromCharCode(code);
	if (/\d/.test(character)) return DIGIT;
	if (/[a-f]/i.test(character)) return HEX_LETTER;
	if (/x/i.test(character)) return MARK;
	return /[\s,;:-]/.test(character) ? SEPARATOR : OTHER;
});

const getKind = (code: number) => (code < 128 ? KINDS[code]! : OTHER);

const isHexDigit = (kind: number) => kind === DIGIT || kind === HEX_LETTER;

/** The value of a hexadecimal digit: letters follow ten digits. */
const getValue = (code: number) => (code & 0xf) + (code < 0x40 ? 0 : 9);

/** The beginnings and ends, in turn, of all parts of a text that may be bytes. */
export function findByteRuns({ codes, length }: TextBuffer): number[] {
	const runs: number[] = [];
	// Each run has a character at such a place.
	for (let at = MIN_RUN_LENGTH - 1; at < length; at += MIN_RUN_LENGTH) {
		if (getKind(codes[at]!) === OTHER) continue;
		let [start, end] = [at, at + 1];
		while (start > 0 && getKind(codes[start - 1]!) !== OTHER) start--;
		while (end < length && getKind(codes[end]!) !== OTHER) end++;
		if (end - start >= MIN_RUN_LENGTH) runs.push(start, end);
		while (at + MIN_RUN_LENGTH < end) at += MIN_RUN_LENGTH;
	}
	return runs;
}

/** Where the part begins that ends with a text. */
export function findLastRun({ codes, length }: TextBuffer): number {
	let start = length;
	while (start > 0 && getKind(codes[start - 1]!) !== OTHER) start--;
	return start;
}

/** A range up to its last digit: separators belong to no byte. */
export function trimSeparators({ codes }: TextBuffer, [from, to]: Range): Range {
	let end = to;
	while (end > from && getKind(codes[end - 1]!) === SEPARATOR) end--;
	return [from, end];
}

/** Writes bytes, and notes whether enough of them in a row are characters. */
class ByteWriter {
	private isReadable = false;
	private readable = 0;
	/** Where the last byte ends in the source. */
	private end = 0;

	constructor(private readonly target: TextBuffer) {}

	/** A byte of which no secret consists, for what is no byte. */
	break(at: number): void {
		this.write(0, at, at + 1);
	}

	write(byte: number, at: number, end: number): void {
		this.target.write(byte, at);
		this.end = end;
		this.readable = byte >= 0x20 && byte < 0x7f ? this.readable + 1 : 0;
		if (this.readable === MIN_READABLE) this.isReadable = true;
	}

	/** @returns whether the bytes may contain a secret */
	finish(): boolean {
		this.target.finish(this.end);
		return this.isReadable;
	}
}

interface HexRange extends ByteRange {
	/** Digits before the first pair of a number that is longer than a byte: 0 or 1. */
	skip: number;
}

function readHex(source: TextBuffer, target: TextBuffer, { from, to, skip }: HexRange): boolean {
	const { codes } = source;
	target.clear(to - from);
	const writer = new ByteWriter(target);
	for (let at = from; at < to;) {
		const kind = getKind(codes[at]!);
		// `0x` before a number.
		if (codes[at] === ZERO && getKind(codes[at + 1]!) === MARK) at += 2;
		else if (isHexDigit(kind)) at = readPairs(source, writer, { from: at, to, skip });
		else if (kind === MARK) writer.break(at++);
		else at++;
	}
	return writer.finish();
}

const ZERO = 0x30;

/** Digits of a byte. */
const PAIR = 2;

/** Reads digits that follow each other; returns the index after them. */
function readPairs({ codes }: TextBuffer, writer: ByteWriter, { from, to, skip }: HexRange) {
	let end = from;
	while (end < to && isHexDigit(getKind(codes[end]!))) end++;
	const start = end - from > PAIR ? from + skip : from;
	for (let at = start; at + 1 < end; at += 2)
		writer.write(getValue(codes[at]!) * 16 + getValue(codes[at + 1]!), at, at + 2);
	// Of a number that may go on, the last digit is read with the next one.
	if ((end - start) % 2 === 1 && end < to) writer.break(end - 1);
	return end;
}

/** Digits of the largest byte. */
const DECIMALS = 3;
const LARGEST_BYTE = 255;

function readDecimals(
	{ codes }: TextBuffer,
	target: TextBuffer,
	{ from, to, isOpen = false }: ByteRange,
): boolean {
	target.clear(to - from);
	const writer = new ByteWriter(target);
	for (let at = from; at < to;) {
		const kind = getKind(codes[at]!);
		if (kind === DIGIT) {
			let [value, end] = [0, at];
			for (; end < to && getKind(codes[end]!) === DIGIT; end++)
				if (end - at <= DECIMALS) value = value * 10 + getValue(codes[end]!);
			if (isOpen && end === to) break;
			writer.write(end - at <= DECIMALS && value <= LARGEST_BYTE ? value : 0, at, end);
			at = end;
			continue;
		}
		if (kind !== SEPARATOR) writer.break(at);
		at++;
	}
	return writer.finish();
}
