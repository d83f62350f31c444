/** Entities of HTML in text. */
import { tryOrUndefined } from './attempt';

/** The signs of calls by the names of their entities in HTML. */
const ENTITIES: Readonly<Record<string, string>> = {
	amp: '&',
	apos: "'",
	bsol: '\\',
	colon: ':',
	comma: ',',
	equals: '=',
	gt: '>',
	lbrace: '{',
	lbrack: '[',
	lcub: '{',
	lowbar: '_',
	lpar: '(',
	lsqb: '[',
	lt: '<',
	quot: '"',
	rbrace: '}',
	rbrack: ']',
	rcub: '}',
	rpar: ')',
	rsqb: ']',
	verbar: '|',
};

/** A text with its entities of HTML decoded once. */
export function decodeEntities(text: string): string {
	if (!text.includes('&')) return text;
	return text.replace(
		/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,31}));/gi,
		(all, decimal: string | undefined, hex: string | undefined, name = '') => {
			if (decimal === undefined && hex === undefined)
				return ENTITIES[(name as string).toLowerCase()] ?? ' ';
			const code = decimal === undefined ? parseInt(hex!, 16) : Number(decimal);
			return tryOrUndefined(() => String.fromCodePoint(code)) ?? all;
		},
	);
}
