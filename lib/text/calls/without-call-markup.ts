/** Removes calls from an earlier response of the model, so that it does not imitate markup that nothing reads. */
import { TextCursor } from './cursor';
import { blankOutCode } from '../code-blocks';
import {
	CALL_MARK,
	CALL_TAG_ANYWHERE,
	CONTENT_OF_CALL,
	ELEMENT_END,
	findBlockMark,
	getClosingMark,
} from './call-marks';
import { findBeginnings, readBlock } from './read-text-calls';
import type { CallBlock } from './types';

/** A block that ends with the turn, or with a mark that is not that of its beginning. */
interface OpenBlock {
	open: RegExp;
	/** Undefined: it ends with the turn. */
	close: RegExp | undefined;
}

/** A text with more marks is about them. */
const MAX_MARKS = 100;
/** A mark at one position. */
const MARK_HERE = new RegExp(CALL_MARK.source, 'iy');
/** An element of a call without a mark around it. */
const ELEMENT = /<([\w:|｜]{0,20}(?:function|invoke))[\s=]/iy;
/** What is left of a block of which a part was removed. */
const LEFT_MARK = new RegExp(`${CALL_TAG_ANYWHERE.source}|${ELEMENT_END.source}`, 'gi');

const OPEN_BLOCKS: readonly OpenBlock[] = [
	{
		open: /\[TOOL_CALLS\]\s*(?:\[\s*\{|\{|[\w.-]{1,128}(?:\[(?:ARGS|CALL_ID)\]|\s*\{|$))/y,
		close: undefined,
	},
	{ open: /\[TOOL_REQUEST\](?=\s*[{>])/y, close: /\[END_TOOL_REQUEST\](?:>{3})?/g },
	{ open: /<\|(?:start|channel)\|>[^<>\n]{0,60}?\bto=[\w.]/y, close: /<\|(?:call|end)\|>/g },
];

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
		const block = readBlock(cursor);
		const to =
			block === undefined ? findEnd(cursor, from) : findEndOfBlock(cursor, { block, from });
		if (to === undefined) continue;
		visible += text.slice(end, from);
		end = to;
	}
	return end === 0 ? text : withoutLeftMarks(visible + text.slice(end)).trim();
}

/** Marks at the ends of blocks that were not read completely, outside of code. */
function withoutLeftMarks(text: string): string {
	let rest = '';
	let at = 0;
	for (const { 0: mark, index } of blankOutCode(text).matchAll(LEFT_MARK)) {
		rest += text.slice(at, index).trimEnd();
		at = index + mark.length;
	}
	return rest + text.slice(at);
}

interface ReadBlock {
	block: CallBlock;
	/** Where it begins. */
	from: number;
}

/** The end of a block that was read; the mark that ends it, if reading ended before, and no other block begins before it. */
function findEndOfBlock(cursor: TextCursor, { block, from }: ReadBlock): number {
	const isComplete = block.candidates.every(({ problems }) => problems.length === 0);
	if (isComplete) return block.to;
	const mark = findBlockMark(cursor.text, from);
	cursor.at = from + (mark?.length ?? 0);
	const element = mark === undefined ? cursor.match(ELEMENT) : undefined;
	if (mark === undefined && element === undefined)
		return findEndOfOpenBlock(cursor, from) ?? block.to;
	const close = mark === undefined ? `</${element![1]!}>` : getClosingMark(mark);
	const open = mark ?? element![0];
	if (cursor.text.endsWith(close, block.to)) return block.to;
	cursor.at = block.to;
	const content = cursor.readUntil(close);
	if (content !== undefined) return content.includes(open) ? block.to : cursor.at;
	return isCut(block) ? cursor.text.length : block.to;
}

/** Whether the text after a block belongs to arguments that have no end. */
function isCut({ candidates }: CallBlock): boolean {
	const { problems = [], arguments: args } = candidates.at(-1) ?? {};
	return args === undefined && problems.includes('brokenArguments');
}

/** The end of a block that needs no mark at its end; undefined if none begins here. */
function findEndOfOpenBlock({ text }: TextCursor, from: number): number | undefined {
	for (const { open, close } of OPEN_BLOCKS) {
		open.lastIndex = from;
		const { length = 0 } = open.exec(text)?.[0] ?? {};
		if (length === 0) continue;
		if (close === undefined) return text.length;
		close.lastIndex = from + length;
		const end = close.exec(text);
		return end === null ? text.length : end.index + end[0].length;
	}
	return undefined;
}

/** The end of a block that no reader reads; undefined if its mark begins no call. */
function findEnd(cursor: TextCursor, from: number): number | undefined {
	const mark = findBlockMark(cursor.text, from);
	if (mark === undefined) return findEndOfOpenBlock(cursor, from);
	cursor.at = from + mark.length;
	if (cursor.match(CONTENT_OF_CALL) === undefined) return undefined;
	if (cursor.readUntil(getClosingMark(mark)) !== undefined) return cursor.at;
	cursor.at = from + mark.length;
	cursor.skipBlanks();
	// Complete JSON that nothing ends is data, and the text after it belongs to the response.
	return cursor.readJson() === undefined ? cursor.text.length : undefined;
}
