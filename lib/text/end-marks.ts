/** Removes marks from the end of a response: servers that do not know them leave them in the text (mlx-vlm 1932). */
import { toAlternatives } from './mark-patterns';
import { getMarks } from './marks';

/** Marks that end a turn, and tokens that begin the next one, which the model was not stopped from writing. */
export const END_MARKS: readonly string[] = [
	// Gemma 4 may end a response with thinking that it leaves empty, or with the mark at its end (llama.cpp, test-chat.cpp).
	'<|channel>thought',
	'<|channel>',
	'<channel|>',
	...getMarks(['turnEnd']),
	...getMarks(['role']).filter((mark) => /^<\|\w+\|>$/.test(mark)),
];

/** Not after a blank, a quotation mark or a bracket: then the text is about the mark. */
const END_MARK = new RegExp(
	`(?<![ \\t\`'"(<]\\n{0,3})(?:${toAlternatives(END_MARKS)}|<\\|(?:im_|end)\\w{1,30}\\|>|<end_of_\\w{1,30}>)\\s*$`,
);

/** Longest mark at the end of a text, with blanks after it. */
const MAX_MARK_LENGTH = 100;

/** A text without such marks at its end. */
export function withoutEndMarks(text: string): string {
	const rest = withoutEnd(text);
	return rest === text ? text : rest.trimEnd();
}

/** Removes a mark from the end, repeatedly. */
export function withoutEnd(text: string, mark: RegExp = END_MARK): string {
	let rest = text;
	for (;;) {
		const start = Math.max(0, rest.length - MAX_MARK_LENGTH);
		const at = rest.slice(start).search(mark);
		if (at < 0) return rest;
		rest = rest.slice(0, start + at);
	}
}
