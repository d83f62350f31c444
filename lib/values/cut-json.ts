/** JSON whose end is missing. */
import { parseJson } from './json';
import { BACKSLASH, QUOTE } from './json-brackets';

const [OPENING_OBJECT, OPENING_LIST, CLOSING_OBJECT, CLOSING_LIST, COMMA] = [
	0x7b, 0x5b, 0x7d, 0x5d, 0x2c,
];

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
	let isInString = false;
	let lastComma = -1;
	for (let at = 0; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) isInString = !isInString;
		else if (isInString) at += code === BACKSLASH ? 1 : 0;
		else if (code === OPENING_OBJECT) open.push('}');
		else if (code === OPENING_LIST) open.push(']');
		else if (code === CLOSING_OBJECT || code === CLOSING_LIST) open.pop();
		else if (code === COMMA) lastComma = at;
	}
	return { brackets: open.reverse().join(''), isInString, lastComma };
}
