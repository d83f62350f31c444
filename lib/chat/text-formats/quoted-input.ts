const MAX_UNESCAPED = 8;
const ENTITIES: ReadonlyMap<string, string> = new Map([
	['lt', '<'],
	['gt', '>'],
	['amp', '&'],
	['quot', '"'],
	['apos', "'"],
	['nbsp', ' '],
]);

/** Escapes of JSON, JavaScript and Python. */
const ESCAPE = /\\(u[0-9a-f]{4}|u\{[0-9a-f]{1,6}\}|x[0-9a-f]{2}|["'\\/bfnrt])/gi;
const ESCAPED = new Map([
	...['"', "'", '\\', '/'].map((one): [string, string] => [one, one]),
	...[...'bfnrt'].map((one): [string, string] => [one, ' ']),
]);
const BASE64 = /[A-Za-z0-9+/_-]{40,}(?:\r?\n[A-Za-z0-9+/_-]+)*/g;
const LINE_NUMBER = /^[ \t]*\d{1,6}[ \t]?[.:|)\t]?/gm;

/** Characters of a message that are read in one go. A multiple of four, because of base64. */
const SLICE = 32_768;
const IN_BASE64 = /[A-Za-z0-9+/_-]/;
const IS_ASCII = /^[\0-\x7f]*$/;

/**
 * The texts of all messages. A call that occurs in one of them is quoted by the model, not meant. Only letters
 * and digits are compared, so that spacing, escapes and entities make no difference.
 */
export class QuotedInput {
	/** @param messages texts of users, tools, the system and earlier answers */
	constructor(private readonly messages: readonly string[]) {}

	/** Whether one of the calls occurs in a message. Yields between two slices, since documents may be large. */
	*holdsAny(calls: readonly string[]): Generator<void, boolean> {
		const patterns = calls.map(reduce).filter((letters) => letters !== '');
		if (patterns.length === 0) return false;
		for (const message of this.messages) {
			const searches = patterns.map((letters) => new Search(letters));
			for (const slice of slicesOf(message)) {
				const texts = readings(slice);
				if (searches.some((search) => search.goOn(texts))) return true;
				yield;
			}
		}
		return false;
	}
}

/** A message in slices that end with a line or a word, so that no escape is cut. */
function* slicesOf(message: string): Generator<string> {
	let from = 0;
	while (from < message.length) {
		const to = endOfSlice(message, from);
		yield message.slice(from, to);
		from = to;
	}
}

function endOfSlice(message: string, from: number): number {
	const to = from + SLICE;
	if (to >= message.length) return message.length;
	for (const space of ['\n', ' ']) {
		const at = message.lastIndexOf(space, to - 1);
		if (at > from + SLICE / 2) return at + 1;
	}
	let begin = to;
	while (begin > from && IN_BASE64.test(message[begin - 1]!)) begin--;
	return to - ((to - begin) % 4);
}

/**
 * Variants of a slice: unescaped, without HTML tags, without line numbers, and with base64 decoded. Always as many, in
 * the same order, because each is searched together with its own in the slice before.
 */
function readings(slice: string): string[] {
	const clean = visible(slice);
	const plain = [clean, unescaped(clean), withoutTags(clean)];
	return [clean, ...plain.map(hiddenIn)].flatMap(variantsOf);
}

/** What base64 in a text decodes to. */
function hiddenIn(text: string): string {
	return (text.match(BASE64) ?? [])
		.map((one) => visible(Buffer.from(one, 'base64').toString('utf8')))
		.join(' ');
}

function variantsOf(text: string): string[] {
	const letters = new Map<string, string>();
	return [
		text,
		unescaped(text),
		withoutTags(unescaped(text)),
		unescaped(withoutTags(text)),
		unescaped(text.replace(LINE_NUMBER, '')),
	].map((variant) => {
		// They seldom differ.
		const known = letters.get(variant) ?? lettersOf(variant);
		letters.set(variant, known);
		return known;
	});
}

function withoutTags(text: string): string {
	return text.replace(/<\/?[a-z][^<>]{0,1000}>/gi, '');
}

function reduce(text: string): string {
	return lettersOf(unescaped(visible(text)));
}

/** Without invisible characters such as soft hyphens; full-width letters become normal ones. */
function visible(text: string): string {
	if (IS_ASCII.test(text)) return text;
	return text.normalize('NFKC').replace(/\p{Cf}/gu, '');
}

function lettersOf(text: string): string {
	if (IS_ASCII.test(text)) return text.toLowerCase().replace(/[^a-z\d]+/g, '');
	return text
		.normalize('NFKC')
		.toLowerCase()
		.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Undoes escapes repeatedly: JSON in JSON and HTML in JSON are escaped several times. */
function unescaped(text: string): string {
	let current = text;
	for (let round = 0; round < MAX_UNESCAPED; round++) {
		const next = current
			.replace(
				ESCAPE,
				(_all, kind: string) =>
					ESCAPED.get(kind) ?? character(Number.parseInt(kind.replace(/[^0-9a-f]/gi, ''), 16)),
			)
			.replace(/=\r?\n/g, '')
			.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => percentDecoded(bytes.replaceAll('=', '%')))
			.replace(/&#x([0-9a-f]{1,6});/gi, (_all, code: string) =>
				character(Number.parseInt(code, 16)),
			)
			.replace(/&#(\d{1,7});/g, (_all, code: string) => character(Number(code)))
			.replace(/&([a-z]{2,4});/gi, (all, name: string) => ENTITIES.get(name.toLowerCase()) ?? all)
			.replace(/(?:%[0-9a-f]{2})+/gi, percentDecoded);
		if (next === current) break;
		current = next;
	}
	return current;
}

function character(code: number): string {
	return code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
}

function percentDecoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
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
