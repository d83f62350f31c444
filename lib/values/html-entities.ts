/** Entities of HTML in text. */
import { tryOrUndefined } from './try-or-undefined';
import { replaceInSteps } from './replace-in-steps';
import { getOwn } from './own-properties';

/** Characters of ASCII by their names in HTML, in small letters. */
export const ENTITY_CHARACTERS: Readonly<Record<string, string>> = {
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
	sol: '/',
	verbar: '|',
	vert: '|',
};

/** `&#39;`, `&#x27;`, `&apos;` */
const ENTITY = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,31});/gi;

/** A text with its entities of HTML decoded once. One with an unknown name becomes a blank. */
export function decodeEntities(text: string): string {
	return text.includes('&') ? text.replace(ENTITY, decodeEntity) : text;
}

/** The same, between whose parts other work may run. */
export function* decodeEntitiesInSteps(text: string): Generator<undefined, string> {
	return yield* replaceInSteps(text, ENTITY, ([entity]) => decodeEntity(entity));
}

function decodeEntity(entity: string): string {
	const name = entity.slice(1, -1).toLowerCase();
	if (!name.startsWith('#')) return getOwn(ENTITY_CHARACTERS, name) ?? ' ';
	const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name.slice(1));
	return tryOrUndefined(() => String.fromCodePoint(code)) ?? entity;
}
