/** JSON whose end is missing. */
import { parseJson } from './json';
import { BACKSLASH, BRACKETS, JsonSigns, SEPARATORS } from './json-signs';

/** An escape at the end that is not complete. */
const CUT_ESCAPE = /\\(?:u[\da-fA-F]{0,3})?$/;
/** Characters of the longest one. */
const CUT_ESCAPE_LENGTH = 5;

/** What is missing at the end of a text. */
interface Ending {
	/** The closing brackets. */
	brackets: string;
	/** Whether it ends in a string. */
	isInString: boolean;
	/** Index of the last comma outside of strings; -1 without one. */
	lastComma: number;
}

/**
 * Parses the beginning of JSON: a string at its end is kept as far as it goes, an incomplete value or name is left out.
 * Reads each character a few times at most.
 *
 * @returns undefined if the text is not the beginning of JSON
 */
export function parseCutJson(text: string): unknown {
	const { brackets, isInString, lastComma } = findEnding(text);
	if (brackets === '' && !isInString) return parseJson(text);
	const whole = isInString ? `${withoutCutEscape(text)}"` : text;
	const value = parseJson(whole + brackets);
	if (value !== undefined || lastComma < 0) return value;
	const complete = text.slice(0, lastComma);
	return parseJson(complete + findEnding(complete).brackets);
}

/** A backslash that another one escapes is text. */
function withoutCutEscape(text: string): string {
	const at = CUT_ESCAPE.exec(text.slice(-CUT_ESCAPE_LENGTH));
	if (at === null) return text;
	const start = text.length - at[0].length;
	let from = start;
	while (from > 0 && text.charCodeAt(from - 1) === BACKSLASH) from--;
	return (start - from) % 2 === 0 ? text.slice(0, start) : text;
}

function findEnding(text: string): Ending {
	const open: string[] = [];
	let lastComma = -1;
	const signs = new JsonSigns(BRACKETS | SEPARATORS);
	for (let at = signs.next(text, 0); at < text.length; at = signs.next(text, at + 1)) {
		const sign = text.charAt(at);
		if (sign === '{') open.push('}');
		else if (sign === '[') open.push(']');
		else if (sign === '}' || sign === ']') open.pop();
		else if (sign === ',') lastComma = at;
	}
	return { brackets: open.reverse().join(''), isInString: signs.isInString, lastComma };
}
