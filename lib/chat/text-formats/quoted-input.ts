import { ENCODINGS, ESCAPES, HEXADECIMAL_SEPARATOR, unescape } from '../../errors/encodings';

const MAX_UNESCAPED = 8;
/** Bytes of UTF-8 that were decoded one by one. */
const UTF8 = /[\xc2-\xf4][\x80-\xbf]{1,3}/g;
/** Joined, since letters before the first line make it longer than a line. */
const LINE_END_IN_BASE64 = /(?<=[\w+/-]{16})\r?\n[ \t]*(?=[\w+/-])/g;
/** What is left of bytes that only look encoded. Whole at both ends, where a slice may cut it. */
const READABLE = /^[^\ufffd]+|[^\ufffd]{12,}|[^\ufffd]+$/g;
/** Where a digit or letter touches the first of bytes that have separators. */
const BEFORE_HEXADECIMAL = new RegExp(
	`(?<=[0-9a-f])(?=(?:[0-9a-f]{2}${HEXADECIMAL_SEPARATOR}{1,2}){2})`,
	'gi',
);
/** Each encoding has one reading for each start, four at most. */
const STARTS = 4;
const LINE_NUMBER = /^[ \t]*\d{1,6}[ \t]?[.:|)\t]?/gm;

/** Characters of a message that are read in one go. A multiple of four, because of base64. */
const SLICE = 32_768;
/** Characters that one letter of a call takes in two encodings, one within the other. */
const MAX_GROWTH = 40;
const IN_BASE64 = /[A-Za-z0-9+/_-]/;
const CUT_ESCAPE = /[\\&%=]+[^\\&%=\s]{0,9}$/;
const IS_ASCII = /^[\0-\x7f]*$/;

/**
 * The texts of all messages. A call that occurs in one of them is quoted by the model, not meant. Only letters
 * and digits are compared, so that spacing, escapes and encodings make no difference.
 */
export class QuotedInput {
	/** @param messages texts of users, tools, the system and earlier answers */
	constructor(private readonly messages: readonly string[]) {}

	/** Whether one of the calls occurs in a message. Yields between two slices, since documents may be large. */
	*holdsAny(calls: readonly string[]): Generator<void, boolean> {
		const patterns = calls.map(reduce).filter((letters) => letters !== '');
		if (patterns.length === 0) return false;
		// They go on from one message to the next, where the other half of a call may stand.
		const searches = patterns.map((letters) => new Search(letters));
		for (const message of this.messages) {
			if (yield* holdsInSlices(message, searches)) return true;
			if (yield* holdsAtBorders(message, patterns)) return true;
		}
		return false;
	}
}

function* holdsInSlices(message: string, searches: readonly Search[]): Generator<void, boolean> {
	for (let from = 0; from < message.length; ) {
		const to = endOfSlice(message, from);
		const texts = readings(message.slice(from, to));
		if (searches.some((search) => search.goOn(texts))) return true;
		from = to;
		yield;
	}
	return false;
}

/** Whether a call lies across two slices in encodings of which the border cuts an escape or a line. */
function* holdsAtBorders(message: string, patterns: readonly string[]): Generator<void, boolean> {
	const searches = patterns
		.filter((letters) => letters.length < SLICE)
		.map((letters) => new Search(letters));
	const longest = searches.reduce((length, search) => Math.max(length, search.length), 0);
	const reach = Math.min(SLICE, longest * MAX_GROWTH);
	let border = endOfSlice(message, 0);
	while (border < message.length && searches.length > 0) {
		const texts = readings(message.slice(Math.max(0, border - reach), border + reach));
		if (searches.some((search) => search.start(texts))) return true;
		border = endOfSlice(message, border);
		yield;
	}
	return false;
}

/** Where a line or a word ends, or else where neither an escape nor four letters of base64 are cut. */
function endOfSlice(message: string, from: number): number {
	const to = from + SLICE;
	if (to >= message.length) return message.length;
	for (const space of ['\n', ' ']) {
		const at = message.lastIndexOf(space, to - 1);
		if (at > from + SLICE / 2) return at + 1;
	}
	const escape = CUT_ESCAPE.exec(message.slice(to - 20, to));
	if (escape) return to - escape[0].length;
	if (/[\ud800-\udbff]/.test(message[to - 1]!)) return to - 1;
	let begin = to;
	while (begin > from && IN_BASE64.test(message[begin - 1]!)) begin--;
	return to - ((to - begin) % 4);
}

/**
 * Variants of a slice: unescaped, without HTML tags, without line numbers, and decoded up to twice. Always as many, in
 * the same order, because each is searched together with its own in the slice before.
 */
function readings(slice: string): string[] {
	const clean = visible(slice);
	const once = eachOnce([clean, unescaped(clean), withoutTags(clean)], hiddenIn);
	const twice = eachOnce(
		once.map((texts) => texts.join('|')),
		hiddenIn,
	);
	return eachOnce([clean, ...once.flat(), ...twice.flat()], variantsOf).flat();
}

/** The result for each text. Equal texts, of which there are many, share theirs. */
function eachOnce<Result>(texts: readonly string[], resultOf: (text: string) => Result): Result[] {
	const results = new Map<string, Result>();
	return texts.map((text) => {
		const result = results.get(text) ?? resultOf(text);
		results.set(text, result);
		return result;
	});
}

/** What hexadecimal and base64 in a text decode to, from each start. */
function hiddenIn(text: string): string[] {
	const joined = text.replace(LINE_END_IN_BASE64, '').replace(BEFORE_HEXADECIMAL, '|');
	return ENCODINGS.flatMap(({ pattern, decode }) => {
		const decoded = (joined.match(pattern) ?? []).map(decode);
		return Array.from({ length: STARTS }, (_, start) =>
			decoded.map((readingsOfRun) => readable(readingsOfRun[start])).join(' '),
		);
	});
}

/** ASCII letters in UTF-16 have a zero byte each, which is left out. */
function readable(bytes: Buffer = Buffer.alloc(0)): string {
	const text = bytes.toString().replaceAll('\0', '');
	return visible((text.match(READABLE) ?? []).join(' '));
}

function variantsOf(text: string): string[] {
	const variants = [
		text,
		unescaped(text),
		withoutTags(unescaped(text)),
		unescaped(withoutTags(text)),
		unescaped(text.replace(LINE_NUMBER, '')),
		unescaped(text).replace(LINE_NUMBER, ''),
	];
	// They seldom differ.
	return eachOnce(variants, lettersOf);
}

function withoutTags(text: string): string {
	return text.replace(/<\/?[a-z][^<>]{0,1000}>/gi, '');
}

function reduce(text: string): string {
	return lettersOf(unescaped(visible(text)));
}

/**
 * Without invisible characters such as soft hyphens; full-width letters become normal ones. Tags of Unicode, which
 * only models see, become the letters that they stand for.
 */
function visible(text: string): string {
	if (IS_ASCII.test(text)) return text;
	return text
		.replace(/[\u{e0020}-\u{e007e}]/gu, (tag) =>
			String.fromCodePoint(tag.codePointAt(0)! - 0xe0000),
		)
		.normalize('NFKC')
		.replace(/\p{Cf}/gu, '');
}

function lettersOf(text: string): string {
	if (IS_ASCII.test(text)) return text.toLowerCase().replace(/[^a-z\d]+/g, '');
	return visible(text)
		.toLowerCase()
		.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Undoes escapes repeatedly: JSON in JSON and HTML in JSON are escaped several times. */
function unescaped(text: string): string {
	let current = text;
	for (let round = 0; round < MAX_UNESCAPED; round++) {
		// E-mails write `=41` for `%41`, and cut lines behind `=`.
		const inPercents = current.replace(/=\r?\n/g, '').replace(/=(?=[0-9A-F]{2})/g, '%');
		const next = ESCAPES.reduce((all, escape) => unescape(all, escape) ?? all, inPercents);
		if (next === current) break;
		current = next.replace(UTF8, (bytes) => Buffer.from(bytes, 'latin1').toString());
	}
	return current;
}

/**
 * A search for a text in several ones that arrive in slices, in guaranteed linear time (Knuth-Morris-Pratt): how much of
 * the text each one ends with is known from one slice to the next.
 */
class Search {
	private readonly borders: Int32Array;
	private readonly matched: number[] = [];

	constructor(private readonly part: string) {
		this.borders = new Int32Array(part.length);
		for (let at = 1, border = 0; at < part.length; at++) {
			border = this.extended(border, part.charCodeAt(at));
			this.borders[at] = border;
		}
	}

	get length(): number {
		return this.part.length;
	}

	/** @param slices the first slice of each text */
	start(slices: readonly string[]): boolean {
		this.matched.length = 0;
		return this.goOn(slices);
	}

	/** @param slices the next slice of each text */
	goOn(slices: readonly string[]): boolean {
		return slices.some((slice, index) => this.holds(slice, index));
	}

	private holds(slice: string, index: number): boolean {
		let matched = this.matched[index] ?? 0;
		for (let at = 0; at < slice.length; at++) {
			matched = this.extended(matched, slice.charCodeAt(at));
			if (matched === this.part.length) return true;
		}
		this.matched[index] = matched;
		return false;
	}

	/** How much of the text has matched after one more character. */
	private extended(before: number, code: number): number {
		let matched = before;
		while (matched > 0 && code !== this.part.charCodeAt(matched))
			matched = this.borders[matched - 1]!;
		return code === this.part.charCodeAt(matched) ? matched + 1 : matched;
	}
}
