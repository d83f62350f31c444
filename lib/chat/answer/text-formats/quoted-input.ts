const MAX_UNESCAPED = 4;
const ENTITIES: ReadonlyMap<string, string> = new Map([
	['lt', '<'],
	['gt', '>'],
	['amp', '&'],
	['quot', '"'],
	['apos', "'"],
	['nbsp', ' '],
]);

/**
 * The messages that others wrote: a call that stands in one of them word for word is quoted by the model, and not meant
 * by it. Compared by letters and digits alone, so that spacing, escapes and entities hide nothing.
 */
export class QuotedInput {
	private reduced: string[] | undefined;

	/** @param messages of users and tools */
	constructor(private readonly messages: readonly string[]) {}

	holds(call: string): boolean {
		this.reduced ??= this.messages.flatMap(readings);
		const wanted = reduce(call);
		return wanted !== '' && this.reduced.some((message) => contains(message, wanted));
	}
}

/** A message as it is, and as a page of HTML shows it. */
function readings(message: string): string[] {
	const plain = unescaped(message);
	const shown = plain.replace(/<\/?[a-z][^<>]{0,1000}>/gi, '');
	return [...new Set([lettersOf(message), lettersOf(plain), lettersOf(shown)])];
}

function reduce(text: string): string {
	return lettersOf(unescaped(text));
}

function lettersOf(text: string): string {
	return text
		.normalize('NFKC')
		.toLowerCase()
		.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** JSON inside JSON and pages inside JSON are escaped several times. */
function unescaped(text: string): string {
	let current = text;
	for (let round = 0; round < MAX_UNESCAPED; round++) {
		const next = current
			.replace(/\\u([0-9a-f]{4})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
			.replace(/\\[bfnrt]/g, ' ')
			.replace(/\\(["'\\/])/g, '$1')
			.replace(/&#x([0-9a-f]{1,6});/gi, (_all, code: string) => character(Number.parseInt(code, 16)))
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

/** Whether a text stands in another one, in linear time whatever both are (Knuth, Morris, Pratt). */
function contains(text: string, wanted: string): boolean {
	const borders = new Int32Array(wanted.length);
	for (let at = 1, border = 0; at < wanted.length; at++) {
		while (border > 0 && wanted[at] !== wanted[border]) border = borders[border - 1]!;
		if (wanted[at] === wanted[border]) border += 1;
		borders[at] = border;
	}
	for (let at = 0, matched = 0; at < text.length; at++) {
		while (matched > 0 && text[at] !== wanted[matched]) matched = borders[matched - 1]!;
		if (text[at] === wanted[matched]) matched += 1;
		if (matched === wanted.length) return true;
	}
	return false;
}
