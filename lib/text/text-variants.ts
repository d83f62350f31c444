/** Texts without the markup and escapes that an email, a web page or JSON adds. */
import { CONTROLS } from './literals';

/** Models cannot read texts that are escaped more often than this. */
const MAX_PASSES = 4;

/**
 * Variants of a text: without any tags, and with the tags that may be a call or contain one. Each is returned with and
 * without quoted-printable decoding, which would turn `id=4711` into `idG11` in other texts.
 */
export function toTextVariants(text: string) {
	const variants = [withoutTags, withoutHtml].flatMap((removeMarkup) => {
		const decoded = [decodeCompletely(text, removeMarkup)];
		for (let pass = 0; pass < MAX_PASSES; pass++)
			decoded.push(decodeCompletely(decodeQuotedPrintable(decoded.at(-1)!), removeMarkup));
		return decoded;
	});
	return [...new Set(variants)];
}

/** More marks on one letter than any script uses. Normalizing sorts them in quadratic time. */
const MARKS = /(\p{M}{30})\p{M}+/gu;

/** Repeats all steps until none of them changes the text. */
function decodeCompletely(text: string, removeMarkup: (text: string) => string) {
	let previous: string | undefined;
	let current = text;
	for (let pass = 0; pass < MAX_PASSES && current !== previous; pass++) {
		previous = current;
		const visible = current
			.replace(MARKS, '$1')
			.normalize('NFKC')
			.replace(/[\p{Cf}\p{DI}]+/gu, '');
		current = decodePercent(decodeEscapes(decodeHtml(removeMarkup(visible))));
	}
	return current;
}

function withoutTags(text: string) {
	if (!text.includes('<')) return text;
	const [first = '', ...afterComments] = text.split('<!--');
	// A pattern would search to the end of the text for each unclosed `<!--`.
	const visible = afterComments.map((part) =>
		part.slice(part.includes('-->') ? part.indexOf('-->') + 3 : 0),
	);
	return [first, ...visible]
		.join(' ')
		.replace(/<\/?[a-z][\w:.-]*(?:[\s/][^<>]*)?>|<!\[CDATA\[|\]\]>/gi, ' ');
}

/**
 * Elements of web pages and emails; the group has HTML's text-level elements, which can be within a word. A bracket in an
 * attribute may belong to a call.
 */
const HTML =
	/<\/?(?:(a|abbr|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr)|article|aside|blockquote|body|br|button|caption|center|col|dd|details|div|dl|dt|figure|footer|form|h[1-6]|head|header|hr|html|img|input|label|li|link|main|meta|nav|o:p|ol|option|p|pre|script|section|select|style|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul)(?:[\s/][^<>{}()[\]]*)?>|<!--|-->|<!\[CDATA\[|\]\]>/gi;

function withoutHtml(text: string) {
	if (!text.includes('<')) return text;
	return text.replace(HTML, (_tag, inline?: string) => (inline === undefined ? ' ' : ''));
}

/** Names of entities, each with its character: signs of calls, and the start of other escapes. */
const ENTITIES = parseTable(`
	amp &
	apos '
	bsol \\
	equals =
	gt >
	lbrace {
	lbrack [
	lcub {
	lpar (
	lsqb [
	lt <
	num #
	percnt %
	quot "
	rbrace }
	rbrack ]
	rcub }
	rpar )
	rsqb ]
	semi ;
	szlig ß
	aelig æ
	oslash ø
	lowbar _
	underbar _
	dash -
	hyphen -
`);

/** Accents by their suffix in names of entities: `&uuml;`. */
const ACCENTS = parseTable(`
	acute \u0301
	caron \u030c
	cedil \u0327
	circ \u0302
	grave \u0300
	ring \u030a
	tilde \u0303
	uml \u0308
`);

/** One line for each name, with its character. */
function parseTable(table: string) {
	const rows = table.trim().split('\n');
	return new Map(rows.map((row) => row.trim().split(' ') as [string, string]));
}

function decodeHtml(text: string) {
	if (!text.includes('&')) return text;
	return text.replace(
		/&(?:#(\d{1,7});?|#x([\da-f]{1,6});?|(amp|lt|gt|quot);?|([a-z]{2,31}\d{0,2});)/gi,
		(_all, decimal?: string, hex?: string, short?: string, name?: string) => {
			if (decimal !== undefined) return toCharacter(Number(decimal));
			return hex === undefined ? decodeEntity(short ?? name ?? '') : toCharacter(parseInt(hex, 16));
		},
	);
}

function toCharacter(code: number) {
	return code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
}

/** Other entities become a space, because they cannot be part of a name. */
function decodeEntity(name: string) {
	const character = ENTITIES.get(name.toLowerCase());
	if (character !== undefined) return character;
	const accent = ACCENTS.get(name.slice(1));
	return accent === undefined ? ' ' : `${name[0]}${accent}`;
}

/** Escapes of JSON, JavaScript, Python and Markdown. */
function decodeEscapes(text: string) {
	if (!text.includes('\\')) return text;
	return text.replace(
		/(?<!\\)\\+(?:u([\da-f]{4})|u\{([\da-f]{1,6})\}|x([\da-f]{2})|([^\\]|$))/gi,
		(_all, four?: string, braced?: string, two?: string, sign: string = '') => {
			const hex = four ?? braced ?? two;
			return hex === undefined ? (CONTROLS[sign] ?? sign) : toCharacter(parseInt(hex, 16));
		},
	);
}

function decodePercent(text: string) {
	return text.includes('%') ? text.replace(/(?:%[\da-f]{2})+/gi, decodeHexBytes) : text;
}

function decodeQuotedPrintable(text: string) {
	if (!text.includes('=')) return text;
	return text.replace(/=[ \t]*\r?\n/g, '').replace(/(?:=[\da-f]{2})+/gi, decodeHexBytes);
}

/** Older emails and web pages use Latin-1. */
function decodeHexBytes(hex: string) {
	const bytes = Buffer.from(hex.replace(/[%=]/g, ''), 'hex');
	const decoded = bytes.toString('utf8');
	return decoded.includes('\ufffd') ? bytes.toString('latin1') : decoded;
}
