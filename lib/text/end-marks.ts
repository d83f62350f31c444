/** Tokens at the end of a response that servers leave in it. */

/** Tokens that end the turn of a model. Servers that do not know them leave them in the text (mlx-vlm 1932). */
export const END_MARK =
	/(?<![ \t`'"(<]\n{0,3})(?:<\|(?:im_\w+|eo[tms]_id|end\w*|return|call|user|assistant|observation)\|>|<｜end▁of▁sentence｜>|<\/s>|<(?:eos|end_of_\w+|turn\|)>|\[\|endofturn\|\]|\[e~\[)\s*$/;

/** A text without such tokens at its end. */
export function withoutEndMarks(text: string): string {
	const rest = withoutEnd(text, END_MARK);
	return rest === text ? text : rest.trimEnd();
}

/** Longest mark at the end of a text. */
const MAX_MARK_LENGTH = 100;

/** Removes a mark from the end, repeatedly. */
export function withoutEnd(text: string, mark: RegExp): string {
	let rest = text;
	for (;;) {
		const start = Math.max(0, rest.length - MAX_MARK_LENGTH);
		const at = rest.slice(start).search(mark);
		if (at < 0) return rest;
		rest = rest.slice(0, start + at);
	}
}
