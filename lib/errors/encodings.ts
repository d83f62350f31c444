/** How servers and proxies write a text that they echo, with one decoder for each way. */

/** Stands for one character; the text around it is written as it is. */
export interface Escape {
	/** Begins each of them, where all begin alike. */
	sign?: string;
	pattern: RegExp;
	/** @param escape the match, followed by the groups of the pattern */
	decode: (escape: string, ...groups: Array<string | undefined>) => string;
}

/** Holds a whole text. */
export interface Encoding {
	pattern: RegExp;
	/** Longer ones are files and vectors. */
	maxLength: number;
	/** The bytes for each position at which the text may begin, since letters before it look like its own. */
	decode: (encoded: string) => Buffer[];
}

const BLANKS: Readonly<Record<string, string>> = { b: ' ', f: ' ', n: '\n', r: '\r', t: '\t' };

/** Of the signs of ASCII, and of signs that nobody sees. Their names in small letters. */
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
	fjlig: 'fj',
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
	nbsp: ' ',
	newline: '\n',
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
	shy: '\u00ad',
	sol: '/',
	tab: '\t',
	underbar: '_',
	verbar: '|',
	vert: '|',
	zerowidthspace: '\u200b',
	zwj: '\u200d',
	zwnj: '\u200c',
};

/** Of a URL, and `%u0041` of IIS and JavaScript's `escape`. */
const percent: Escape = {
	sign: '%',
	pattern: /%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/gi,
	decode: (_escape, long, short) => character(parseInt((long ?? short)!, 16)),
};

export const html: Escape = {
	sign: '&',
	pattern: /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));?/gi,
	decode: (escape, hex, decimal, name) => {
		if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? escape;
		return character(hex === undefined ? Number(decimal) : parseInt(hex, 16));
	},
};

/**
 * Of JSON; `\x41`, `\U00000041` and the octal `\101` of Python and C; `\u{41}` of JavaScript; `\x{41}`, `\N{U+41}` and
 * the octal `\o{101}` of Perl.
 */
export const backslash: Escape = {
	sign: '\\',
	pattern:
		/\\(?:U(00(?:0[\da-fA-F]|10)[\da-fA-F]{4})|[uU]([\da-fA-F]{4})|[xX]([\da-fA-F]{2})|(?:[uUxX]\{|N\{U\+)0*([\da-fA-F]{1,6})\}|(?:o\{0*([0-7]{1,7})\}|([0-3]?[0-7]{1,2}))|([bfnrtNRT])|([^a-zA-Z\d\s]))/g,
	decode: (_escape, python, json, byte, braces, octalBraces, octal, blank, sign) => {
		if (blank !== undefined) return BLANKS[blank.toLowerCase()]!;
		const inOctal = octalBraces ?? octal;
		if (inOctal !== undefined) return character(parseInt(inOctal, 8));
		return sign ?? character(parseInt((python ?? json ?? byte ?? braces)!, 16));
	},
};

const UNSEEN_SIGN =
	/(?![\t\n\r])\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}|\p{Noncharacter_Code_Point}/gu;

/** Bytes of one character in UTF-8, as decoders give them: each is a character of its own. */
const UTF8_BYTES =
	'[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf4][\\x80-\\xbf]{3}';

/**
 * Signs that nobody sees, and that are taken out of what is shown. The zero bytes of UTF-16 that is read as UTF-8 are
 * among them.
 */
export const unseen: Escape = {
	pattern: new RegExp(`(${UTF8_BYTES})|${UNSEEN_SIGN.source}`, 'gu'),
	decode: (sign, bytes) => (bytes === undefined || isUnseen(bytes) ? '' : sign),
};

function isUnseen(bytes: string): boolean {
	return Buffer.from(bytes, 'latin1').toString().replace(UNSEEN_SIGN, '') === '';
}

/** What may stand between bytes in hexadecimal, as a class of a pattern. */
export const HEXADECIMAL_SEPARATOR = '[\\s:,;._|/+-]';

/** With or without separators of one or two signs, and `0x` before each byte or `U+` before each character. */
const hexadecimal: Encoding = {
	pattern: new RegExp(
		`(?<![0-9a-f])(?:(?:0x|U\\+)?[0-9a-f]{2}${HEXADECIMAL_SEPARATOR}{0,2}){8,}`,
		'gi',
	),
	maxLength: 16_384,
	decode: (encoded) => {
		const digits = encoded.replace(/0x|[^0-9a-f]/gi, '');
		return [0, 1].map((start) => Buffer.from(digits.slice(start), 'hex'));
	},
};

/**
 * Of a URL too, and in lines of any length, as in e-mails, or indented, as in YAML and folded headers. Words of small
 * letters and underscores are left out.
 */
const base64: Encoding = {
	pattern:
		/(?<![\w+/-])(?:(?:[\w+/-]{4,76}\r?\n[ \t]{0,16})+[\w+/-]+|[\w+/-]{11,})(?:(?:\r?\n[ \t]{0,16})?=){0,2}/g,
	maxLength: 4096,
	decode: (encoded) => {
		if (!/\d|.[A-Z]/.test(encoded)) return [];
		const letters = encoded.replace(/\s/g, '');
		return [0, 1, 2, 3].map((start) => Buffer.from(letters.slice(start), 'base64'));
	},
};

export const ESCAPES: readonly Escape[] = [percent, html, backslash];
export const ENCODINGS: readonly Encoding[] = [hexadecimal, base64];

function character(code: number): string {
	return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}

/** Every few bytes a zero: ASCII letters in UTF-16 have one each. */
const UTF16_BYTES = /(?:\0[^\0]{1,5}){6}/;

/** The bytes as ASCII and as UTF-16 of both orders, from either byte on, without signs that nobody sees. */
export function textsOf(bytes: Buffer): string[] {
	const texts = [bytes.toString('latin1')];
	if (UTF16_BYTES.test(texts[0]!))
		for (const start of [0, 1]) {
			const pairs = Buffer.from(bytes.subarray(start, bytes.length - ((bytes.length - start) % 2)));
			texts.push(pairs.toString('utf16le'), pairs.swap16().toString('utf16le'));
		}
	return texts.map((text) => text.replace(unseen.pattern, unseen.decode));
}

/** @returns undefined where the text has no such escape */
export function unescape(text: string, { sign, pattern, decode }: Escape): string | undefined {
	if (sign !== undefined && !text.includes(sign)) return undefined;
	const decoded = text.replace(pattern, decode);
	return decoded === text ? undefined : decoded;
}

/** The index in the text of each character of `unescape`, and of its end. */
export function originsOf(text: string, { pattern, decode }: Escape): number[] {
	const origins: number[] = [];
	let at = 0;
	for (const match of text.matchAll(pattern)) {
		while (at < match.index) origins.push(at++);
		const [escape, ...groups] = match;
		for (let unit = decode(escape, ...groups).length; unit > 0; unit--) origins.push(at);
		at += escape.length;
	}
	while (at <= text.length) origins.push(at++);
	return origins;
}
