/** What a text says without the markup and the escapes that a mail, a page or JSON wraps around it. */

/** A text that is escaped more often than this is not read by a model either. */
const MAX_PASSES = 4;

/**
 * The readings of a text: with all tags removed, and with the tags that may be a call or contain one. Each of them as it
 * is and decoded as quoted-printable, which would turn `id=4711` into `idG11` elsewhere.
 */
export function readingsOf(text: string): string[] {
	const readings = [withoutTags, withoutHtml].flatMap((withoutMarkup) => {
		const found = [reduced(text, withoutMarkup)];
		for (let pass = 0; pass < MAX_PASSES; pass++)
			found.push(reduced(printed(found.at(-1)!), withoutMarkup));
		return found;
	});
	return [...new Set(readings)];
}

/** More marks on one letter than any writing has. Normalizing sorts them, and the time grows with their square. */
const MARKS = /(\p{M}{30})\p{M}+/gu;

/** A text after all steps, repeated until none of them changes anything. */
function reduced(text: string, withoutMarkup: (text: string) => string): string {
	let before: string | undefined;
	let now = text;
	for (let pass = 0; pass < MAX_PASSES && now !== before; pass++) {
		before = now;
		const visible = now
			.replace(MARKS, '$1')
			.normalize('NFKC')
			.replace(/[\p{Cf}\p{DI}]+/gu, '');
		now = percentDecoded(unescaped(htmlDecoded(withoutMarkup(visible))));
	}
	return now;
}

function withoutTags(text: string): string {
	if (!text.includes('<')) return text;
	const [first = '', ...behind] = text.split('<!--');
	// Not a pattern: a text of `<!--` without an end would be searched to its end for each.
	const shown = behind.map((part) =>
		part.slice(part.includes('-->') ? part.indexOf('-->') + 3 : 0),
	);
	return [first, ...shown]
		.join(' ')
		.replace(/<\/?[a-z][\w:.-]*(?:[\s/][^<>]*)?>|<!\[CDATA\[|\]\]>/gi, ' ');
}

/** Elements of pages and mails. A bracket in an attribute may belong to a call. */
const HTML =
	/<\/?(?:a|abbr|article|aside|b|big|blockquote|body|br|button|caption|center|cite|code|col|dd|del|details|div|dl|dt|em|figure|font|footer|form|h[1-6]|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|o:p|ol|option|p|pre|q|s|samp|script|section|select|small|span|strike|strong|style|sub|summary|sup|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|wbr)(?:[\s/][^<>{}()[\]]*)?>|<!--|-->|<!\[CDATA\[|\]\]>/gi;

function withoutHtml(text: string): string {
	return text.includes('<') ? text.replace(HTML, ' ') : text;
}

/** By name: signs of calls, and what begins another escape. */
const ENTITIES: ReadonlyMap<string, string> = new Map(
	Object.entries({
		amp: '&',
		apos: "'",
		bsol: '\\',
		equals: '=',
		gt: '>',
		lbrace: '{',
		lbrack: '[',
		lcub: '{',
		lpar: '(',
		lsqb: '[',
		lt: '<',
		num: '#',
		percnt: '%',
		quot: '"',
		rbrace: '}',
		rbrack: ']',
		rcub: '}',
		rpar: ')',
		rsqb: ']',
		semi: ';',
		szlig: 'ß',
		aelig: 'æ',
		oslash: 'ø',
		lowbar: '_',
		underbar: '_',
		dash: '-',
		hyphen: '-',
	}),
);

/** Accents in the names of letters: `&uuml;`. */
const ACCENTS: ReadonlyMap<string, string> = new Map(
	Object.entries({
		acute: '\u0301',
		caron: '\u030c',
		cedil: '\u0327',
		circ: '\u0302',
		grave: '\u0300',
		ring: '\u030a',
		tilde: '\u0303',
		uml: '\u0308',
	}),
);

function htmlDecoded(text: string): string {
	if (!text.includes('&')) return text;
	return text.replace(
		/&(?:#(\d{1,7});?|#x([\da-f]{1,6});?|(amp|lt|gt|quot);?|([a-z]{2,31}\d{0,2});)/gi,
		(_all, decimal?: string, hex?: string, short?: string, name?: string) => {
			if (decimal !== undefined) return characterOf(Number(decimal));
			return hex === undefined ? entityOf(short ?? name ?? '') : characterOf(parseInt(hex, 16));
		},
	);
}

function characterOf(code: number): string {
	return code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
}

/** Every other entity is a sign, and no part of a name. */
function entityOf(name: string): string {
	const known = ENTITIES.get(name.toLowerCase());
	if (known !== undefined) return known;
	const accent = ACCENTS.get(name.slice(1));
	return accent === undefined ? ' ' : `${name[0]}${accent}`;
}

const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Escapes of JSON, JavaScript, Python and Markdown. */
function unescaped(text: string): string {
	if (!text.includes('\\')) return text;
	return text.replace(
		/\\+(?:u([\da-f]{4})|u\{([\da-f]{1,6})\}|x([\da-f]{2})|([^\\]|$))/gi,
		(_all, four?: string, braced?: string, two?: string, sign: string = '') => {
			const hex = four ?? braced ?? two;
			return hex === undefined ? (CONTROLS[sign] ?? sign) : characterOf(parseInt(hex, 16));
		},
	);
}

function percentDecoded(text: string): string {
	return text.includes('%') ? text.replace(/(?:%[\da-f]{2})+/gi, bytesDecoded) : text;
}

/** Quoted-printable. */
function printed(text: string): string {
	if (!text.includes('=')) return text;
	return text.replace(/=[ \t]*\r?\n/g, '').replace(/(?:=[\da-f]{2})+/gi, bytesDecoded);
}

/** Older mails and pages are Latin-1. */
function bytesDecoded(written: string): string {
	const bytes = Buffer.from(written.replace(/[%=]/g, ''), 'hex');
	const decoded = bytes.toString('utf8');
	return decoded.includes('\ufffd') ? bytes.toString('latin1') : decoded;
}
