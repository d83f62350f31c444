/** Removes escapes from a text, and remembers where its characters came from, so that a secret is found in any of them. */

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

const HEX = '[0-9a-f]';

/** Escapes of JSON, JavaScript, URLs, HTML and emails (quoted-printable), whatever their case. */
const ESCAPE = new RegExp(
	[
		// JSON, JavaScript, Python
		String.raw`\\(?:u(?<unit>${HEX}{4})|u\{0{0,8}(?<point>${HEX}{1,6})\}|x(?<byte>${HEX}{2})|(?<letter>[^\p{L}\p{N}]|[bfnrt]))`,
		// URLs
		`(?<percent>(?:%${HEX}{2})+)`,
		// HTML
		String.raw`&(?:#x0{0,8}(?<hex>${HEX}{1,6})|#0{0,8}(?<decimal>\d{1,7})|(?<name>amp|lt|gt|quot|apos|sol|plus|equals|bsol|colon|num|percnt|lowbar|commat|excl|dollar)(?=;));?`,
		// Emails; the last one joins lines
		`(?<quoted>(?:=${HEX}{2})+)`,
		String.raw`=(?<join>\r?\n)`,
	].join('|'),
	'giu',
);

/** Whether a text may contain escapes: the regular expression above is slower. */
const MAY_BE_ESCAPED = /[\\%&=]/;

/** An escape of a character that a key may contain. Most escapes of JSON are of quotation marks, lines and other letters. */
const RELEVANT_ESCAPE =
	/\\(?![bfnrt"]|u(?!00)[0-9a-f]{2})|%[0-9a-f]{2}|&(?:#|[a-z]{2,8};)|=(?:[0-9a-f]{2}|\r?\n)/i;

/**
 * @param canBeInSecret - All characters of the secrets.
 * @returns whether a text may contain an escaped secret. It is much cheaper than to look.
 */
export function mayContainEscaped(text: string, canBeInSecret: string): boolean {
	return IRREGULAR.test(canBeInSecret) ? MAY_BE_ESCAPED.test(text) : RELEVANT_ESCAPE.test(text);
}

/** What {@link RELEVANT_ESCAPE} leaves out. */
const IRREGULAR = /"|[^\x20-\xff]/;

const LETTERS: Readonly<Record<string, string>> = {
	b: '\b',
	f: '\f',
	n: '\n',
	r: '\r',
	t: '\t',
};

const ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	apos: "'",
	sol: '/',
	plus: '+',
	equals: '=',
	bsol: '\\',
	colon: ':',
	num: '#',
	percnt: '%',
	lowbar: '_',
	commat: '@',
	excl: '!',
	dollar: '$',
};

/** The text without one layer of escapes; undefined if it has none. */
export function unescapeText(text: string): DecodedText | undefined {
	if (!MAY_BE_ESCAPED.test(text)) return undefined;
	const parts: string[] = [];
	/** Where each character begins in the source. */
	const starts = new Uint32Array(text.length + 1);
	let length = 0;
	let end = 0;
	const copyUntil = (index: number) => {
		parts.push(text.slice(end, index));
		for (let at = end; at < index; at++) starts[length++] = at;
	};
	for (const match of text.matchAll(ESCAPE)) {
		copyUntil(match.index);
		for (const [character, offset] of decodeEscape(match.groups!)) {
			parts.push(character);
			for (let unit = 0; unit < character.length; unit++) starts[length++] = match.index + offset;
		}
		end = match.index + match[0].length;
	}
	if (end === 0) return undefined;
	copyUntil(text.length);
	starts[length] = text.length;
	return { text: parts.join(''), toSource: (from, to) => [starts[from]!, starts[to]!] };
}

/** The characters of an escape, each with its position in the escape. */
function decodeEscape(groups: Record<string, string | undefined>): Array<[string, number]> {
	const bytes = groups.percent ?? groups.quoted;
	if (bytes !== undefined) return decodeBytes(bytes);
	if (groups.join !== undefined) return [];
	const code = groups.unit ?? groups.point ?? groups.byte ?? groups.hex;
	if (code !== undefined) return [[toCharacter(Number.parseInt(code, 16)), 0]];
	if (groups.decimal !== undefined) return [[toCharacter(Number(groups.decimal)), 0]];
	const { letter, name = '' } = groups;
	if (letter !== undefined) return [[LETTERS[letter.toLowerCase()] ?? letter, 0]];
	return [[ENTITIES[name.toLowerCase()]!, 0]];
}

function toCharacter(code: number) {
	return code <= 0x10ffff ? String.fromCodePoint(code) : '\uFFFD';
}

/** Characters of an escaped byte, such as `%2F`. */
const BYTE_LENGTH = 3;

/** UTF-8; a byte that is not is a character of Latin-1, as in headers. */
function decodeBytes(escapes: string): Array<[string, number]> {
	const bytes = Buffer.from(escapes.replace(/[%=]/g, ''), 'hex');
	const characters: Array<[string, number]> = [];
	for (let at = 0; at < bytes.length;) {
		const size = getUtf8Size(bytes[at]!);
		const sequence = bytes.subarray(at, at + size).toString();
		const isValid = size === 1 || (at + size <= bytes.length && !sequence.includes('\uFFFD'));
		characters.push([
			isValid && size > 1 ? sequence : String.fromCharCode(bytes[at]!),
			at * BYTE_LENGTH,
		]);
		at += isValid ? size : 1;
	}
	return characters;
}

function getUtf8Size(lead: number) {
	if (lead >= 0xf0) return 4;
	if (lead >= 0xe0) return 3;
	return lead >= 0xc0 ? 2 : 1;
}

/** The beginning of an escape at the end of a text, whose rest may follow. */
export const UNFINISHED_ESCAPE =
	/(?:\\(?:u(?:[0-9a-f]{0,3}|\{[0-9a-f]{0,14})|x[0-9a-f]?)?|%[0-9a-f]?|&(?:#x?[0-9a-f]{0,14}|[a-z]{0,6})|=(?:[0-9a-f]|\r)?)$/i;

/** In both alphabets. A shorter run cannot contain a secret. */
const BASE64_RUN = /[\w+/-]{11,}/g;

/** A longer run is a file: a secret in it is found only if it is not escaped. */
const MAX_RUN_LENGTH = 16 * 1024;

/** Not a word, and not a number, of which lists of vectors have millions: base64 of a key has letters of both cases. */
const [LOWER, UPPER] = [/[a-z]/, /[A-Z]/];

/** Bytes that may be a secret, and not those of a word or a file that only looks like base64. */
const READABLE = /[\x20-\x7e]{8}/;

/** The bytes of each run of base64 as characters of Latin-1. Where a run begins is not known, so it is read at four positions. */
export function decodeBase64Runs(text: string): DecodedText[] {
	return [...text.matchAll(BASE64_RUN)]
		.filter(([run]) => run.length <= MAX_RUN_LENGTH && LOWER.test(run) && UPPER.test(run))
		.flatMap(({ 0: run, index }) => [0, 1, 2, 3].map((skip) => decodeRun(run, index, skip)))
		.filter((decoded) => READABLE.test(decoded.text));
}

function decodeRun(run: string, index: number, skip: number): DecodedText {
	const start = index + skip;
	return {
		text: Buffer.from(run.slice(skip), 'base64').toString('latin1'),
		toSource: (from, to) => [
			start + Math.floor((from * 4) / 3),
			Math.min(index + run.length, start + Math.ceil((to * 4) / 3)),
		],
	};
}
