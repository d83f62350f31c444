import { parseJson } from '../values';

/**
 * The JSON in the text of a model. Models that are only asked for it, not forced, put it into a code block or between
 * sentences.
 *
 * @returns undefined where there is none
 */
export function jsonIn(text: string): { value: unknown } | undefined {
	const whole = parsed(text.trim().replace(/^\uFEFF/, ''));
	if (whole !== undefined) return whole;
	for (const [, block] of text.matchAll(/```[^\n`]*\n([\s\S]*?)```/g)) {
		const value = parsed(block!.trim());
		if (value !== undefined) return value;
	}
	return firstStructure(text);
}

function parsed(text: string): { value: unknown } | undefined {
	const value = parseJson(text);
	return value === undefined ? undefined : { value };
}

/** So many places in a text are tried as the beginning of an object: a text full of brackets must not take for ever. */
const MAX_STARTS = 100;

/** The first object or list in a text that is complete. */
function firstStructure(text: string): { value: unknown } | undefined {
	let starts = 0;
	for (let at = 0; at < text.length && starts < MAX_STARTS; at++) {
		if (text[at] !== '{' && text[at] !== '[') continue;
		starts++;
		const end = endOfStructure(text, at);
		const value = end === undefined ? undefined : parsed(text.slice(at, end));
		if (value !== undefined) return value;
	}
	return undefined;
}

/** Behind the bracket that closes the one at a place; undefined where it stays open. */
function endOfStructure(text: string, from: number): number | undefined {
	let depth = 0;
	let inText = false;
	for (let at = from; at < text.length; at++) {
		const sign = text[at];
		if (inText) {
			if (sign === '\\') at++;
			else if (sign === '"') inText = false;
		} else if (sign === '"') inText = true;
		else if (sign === '{' || sign === '[') depth++;
		else if ((sign === '}' || sign === ']') && --depth === 0) return at + 1;
	}
	return undefined;
}
