/** Removes calls from an earlier response of the model, so that it does not imitate markup that nothing reads. */
import { TextCursor } from './cursor';
import { MARK_OF_TOOLS, CALL_MARK, CONTENT_OF_CALL, getClosingMark, OTHER_MARK } from './marks';
import { findBeginnings, readBlock } from './read-text-calls';

/** A text with more marks is about them. */
const MAX_MARKS = 100;
/** A mark at one position. */
const MARK_HERE = new RegExp(CALL_MARK.source, 'iy');

/**
 * A text without the markup of calls outside of code blocks, whether it can be read or not. The same text always gives the
 * same result, because any change would invalidate the server's prompt cache.
 */
export function withoutCallMarkup(text: string): string {
	const cursor = new TextCursor(text);
	let visible = '';
	let end = 0;
	let marks = 0;
	for (const { index: from } of findBeginnings(text)) {
		// Tags of HTML and of programs may speak of functions and actions as well.
		MARK_HERE.lastIndex = from;
		if (from < end || !MARK_HERE.test(text)) continue;
		marks += 1;
		if (marks > MAX_MARKS || cursor.isExhausted) return text;
		cursor.at = from;
		const to = readBlock(cursor)?.to ?? findEnd(cursor, from);
		if (to === undefined) continue;
		visible += text.slice(end, from);
		end = to;
	}
	return end === 0 ? text : (visible + text.slice(end)).trim();
}

/** The end of a block that no reader reads; undefined if its mark begins no call. */
function findEnd(cursor: TextCursor, from: number): number | undefined {
	cursor.at = from;
	const mark = cursor.match(MARK_OF_TOOLS)?.[0];
	if (mark === undefined || OTHER_MARK.test(mark) || cursor.match(CONTENT_OF_CALL) === undefined)
		return undefined;
	const content = cursor.readUntil(getClosingMark(mark));
	return content === undefined ? cursor.text.length : cursor.at;
}
