/** Removes marks from the end of a response: servers that do not know them leave them in the text. */
import { isInFence } from './code-blocks';
import { toAlternatives } from './mark-patterns';
import { TURN_TOKENS } from './turn-tokens';

/** Marks that end a turn, and tokens that begin the next one, which the model was not stopped from writing. */
export const END_MARKS: readonly string[] = [
	// Gemma 4 may end a response with thinking that it leaves empty, or with the mark at its end (llama.cpp, test-chat.cpp).
	'<|channel>thought',
	'<|channel>',
	'<channel|>',
	// The ends of texts of Llama 2 and Mistral, and of Gemma. In a prompt they are an element and a word.
	'</s>',
	'<eos>',
	'[e~[',
	...TURN_TOKENS.filter((token) => /^<[^<]/.test(token)),
];

const MARK = `(?:${toAlternatives(END_MARKS)}|<\\|(?:im_|end)\\w{1,30}\\|>|<end_of_\\w{1,30}>)`;

const LAST_MARK = new RegExp(`${MARK}\\s*$`);

/** Before a mark that a text is about: what opens a quotation. Nothing is about two marks at the end but a quotation. */
const QUOTED = /(?:(?:^|[\s([{<])[`'"]+|[(<])\n{0,3}$/;
const MENTIONED = /[ \t]\n{0,3}$/;

/** Longest mark at the end of a text, with blanks after it. */
const MAX_MARK_LENGTH = 100;

/**
 * A text without the marks at its end, unless it is about them.
 *
 * @param last matches one mark at the end of a text, and the blanks after it
 */
export function withoutEndMarks(text: string, last: RegExp = LAST_MARK): string {
	const { length, marks } = findEndMarks(text, last);
	if (marks === 0) return text;
	const rest = text.slice(0, length);
	const before = rest.slice(-MAX_MARK_LENGTH);
	const isQuoted = QUOTED.test(before) && !isEndOfFence(rest);
	return isQuoted || (marks === 1 && MENTIONED.test(before)) ? text : rest.trimEnd();
}

/** Whether a text ends with the line that ends a code block. */
function isEndOfFence(text: string): boolean {
	const end = text.trimEnd();
	return end.endsWith('```') && !isInFence(end, end.length);
}

/** Length of a text before the marks at its end: more text decides whether it is about them. */
export function getLengthBeforeEndMarks(text: string): number {
	return findEndMarks(text, LAST_MARK).length;
}

/** The marks at the end of a text. */
interface EndMarks {
	/** Length of the text before them. */
	length: number;
	/** How many they are. */
	marks: number;
}

/** Every mark has one, and few deltas of a response. */
const BRACKET = /[<[]/;

function findEndMarks(text: string, last: RegExp): EndMarks {
	let length = text.length;
	if (!BRACKET.test(text.slice(-MAX_MARK_LENGTH))) return { length, marks: 0 };
	for (let marks = 0; ; marks += 1) {
		const start = Math.max(0, length - MAX_MARK_LENGTH);
		const end = text.slice(start, length);
		// Of many marks, the window begins with others, at each of which the search would try all: no mark goes on after a `>`.
		const nearest = end.lastIndexOf('<');
		const isLast = /[>\s]/.test(end.charAt(nearest - 1)) && end.slice(nearest).search(last) === 0;
		const at = isLast ? nearest : end.search(last);
		if (at < 0) return { length, marks };
		length = start + at;
	}
}
