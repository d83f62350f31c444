/** Where a call may begin before a name in it: at a mark, a bracket, or `functools`. */

/** What may stand before a name in its call: marks, brackets and keys. */
export const MAX_BEFORE_NAME = 400;
/** Beginnings of a call before its name that are tried. */
const MAX_BEGINNINGS = 12;
const FUNCTOOLS = 'functools';

/**
 * The last beginnings before a name. Read backwards, so that what is far from the name costs nothing.
 *
 * @param at the place of the name
 * @returns places in the text, in their order
 */
export function findBeginningsBefore(text: string, at: number): readonly number[] {
	const beginnings: number[] = [];
	const first = Math.max(0, at - MAX_BEFORE_NAME);
	for (let from = at - 1; from >= first && beginnings.length < MAX_BEGINNINGS; from--)
		if (isBeginning(text, from)) beginnings.push(from);
	return beginnings.toReversed();
}

function isBeginning(text: string, at: number): boolean {
	const letter = text[at];
	if (letter === 'f') return text.startsWith(FUNCTOOLS, at) && !/\w/.test(text[at - 1] ?? '');
	return letter === '<' || letter === '[' || letter === '{';
}
