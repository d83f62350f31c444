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

/**
 * The texts of all messages. A call that occurs in one of them is quoted by the model, not meant. Only letters
 * and digits are compared, so that spacing, escapes and entities make no difference.
 */
export class QuotedInput {
	private reduced: string[] | undefined;

	/** @param messages texts of users, tools, the system and earlier answers */
	constructor(private readonly messages: readonly string[]) {}

	holds(call: string): boolean {
		this.reduced ??= this.messages.flatMap(readings);
		const letters = reduce(call);
		return letters !== '' && this.reduced.some((message) => contains(message, letters));
	}
}

/** Variants of a message: unescaped, without HTML tags, without line numbers, and with base64 decoded. */
function readings(message: string): string[] {
	const clean = visible(message);
	const plain = [clean, unescaped(clean), withoutTags(clean)];
	const hidden = plain
		.flatMap((text) => text.match(BASE64) ?? [])
		.map((one) => Buffer.from(one, 'base64').toString('utf8'));
	const texts = [...new Set([clean, ...hidden.map(visible)])];
	const all = texts.flatMap((text) => [
		text,
		unescaped(text),
		withoutTags(unescaped(text)),
		unescaped(withoutTags(text)),
		unescaped(text.replace(LINE_NUMBER, '')),
	]);
	return [...new Set(all.map(lettersOf))];
}

function withoutTags(text: string): string {
	return text.replace(/<\/?[a-z][^<>]{0,1000}>/gi, '');
}

function reduce(text: string): string {
	return lettersOf(unescaped(visible(text)));
}

/** Without invisible characters such as soft hyphens; full-width letters become normal ones. */
function visible(text: string): string {
	return text.normalize('NFKC').replace(/\p{Cf}/gu, '');
}

function lettersOf(text: string): string {
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

/** Substring search in guaranteed linear time (Knuth-Morris-Pratt). */
function contains(text: string, part: string): boolean {
	const borders = new Int32Array(part.length);
	for (let at = 1, border = 0; at < part.length; at++) {
		while (border > 0 && part[at] !== part[border]) border = borders[border - 1]!;
		if (part[at] === part[border]) border += 1;
		borders[at] = border;
	}
	for (let at = 0, matched = 0; at < text.length; at++) {
		while (matched > 0 && text[at] !== part[matched]) matched = borders[matched - 1]!;
		if (text[at] === part[matched]) matched += 1;
		if (matched === part.length) return true;
	}
	return false;
}
