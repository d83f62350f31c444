/** Finds the calls of a text. What may run is decided elsewhere. */
import { pushAll } from '../../values/lists';
import { BEGINNING } from './call-marks';
import {
	blankOutCode,
	blankOutQuotedLines,
	isInOpenElement,
	unwrapCodeBlock,
} from '../code-blocks';
import { readCompleteJson } from './complete-json';
import { TextCursor } from './cursor';
import { readFunctoolsCalls, readHarmonyCall, readMistralCalls } from './header-calls';
import { MAX_CALLS } from './limits';
import { readMarkedBlock } from './marked-blocks';
import { readNamedCall } from './named-arguments';
import type { CallBlock, CallCandidate, TextRange } from './types';

/** What was read of a text. */
export interface TextCallReading {
	/** In the order of the text, at most one more than may run. The last one may have a problem: reading ends there. */
	candidates: readonly CallCandidate[];
	/** The text that was read: without the fences of a response that is one code block. */
	text: string;
	/** From the first call to the end of the last one. */
	range: TextRange;
	/** Whether the syntax of the last call allows text after it. */
	allowsTextAfter: boolean;
	/** Whether a mark that ends a block is missing, so that only the end of a complete response ends it. Default: false. */
	isOpen?: true;
}

/** Marks without a call before the first one: a text with more is about them, and none of its calls is read. */
const MAX_FAILED_BEGINNINGS = 100;

/** Reads all calls from the first one on. */
export function readTextCalls(response: string): TextCallReading {
	const text = unwrapCodeBlock(response) ?? response;
	const complete = readCompleteJson(text);
	if (complete !== undefined) {
		const range = { from: 0, to: text.length };
		return { candidates: complete, text, range, allowsTextAfter: false };
	}
	const visible = hasBeginning(text) ? blankOutQuotedLines(blankOutCode(text)) : '';
	return readBlocks({ text, visible, isExcluded: (at) => isInOpenElement(text, at) });
}

/**
 * Reads all calls of a text, also those in code and quotations, from the first one on.
 *
 * @param isInCode whether those in code count, or only those in quotations and lists
 */
export function readQuotedCalls(text: string, isInCode: boolean): readonly CallCandidate[] {
	if (!hasBeginning(text)) return [];
	return readBlocks({ text, visible: isInCode ? text : blankOutCode(text) }).candidates;
}

/** A text, and where calls may begin in it. */
interface SearchedText {
	text: string;
	/** The text, with blanks where no call begins. */
	visible: string;
	/** Whether no call begins at a place. Default: at none. */
	isExcluded?(at: number): boolean;
}

function readBlocks({ text, visible, isExcluded = () => false }: SearchedText): TextCallReading {
	const cursor = new TextCursor(text);
	let failedBeginnings = 0;
	for (const { index: from } of visible.matchAll(BEGINNING)) {
		if (isExcluded(from)) continue;
		cursor.at = from;
		const block = readBlock(cursor);
		if (block !== undefined)
			return { ...readFollowingBlocks({ cursor, visible, first: block, from }), text };
		failedBeginnings += 1;
		if (cursor.isExhausted || failedBeginnings > MAX_FAILED_BEGINNINGS) break;
	}
	const range = { from: text.length, to: text.length };
	return { candidates: [], text, range, allowsTextAfter: false };
}

/** Whether a call may begin anywhere in a text. */
export function hasBeginning(text: string): boolean {
	return text.search(BEGINNING) >= 0;
}

/** Where calls may begin outside of code. */
export function findBeginnings(text: string): Iterable<{ index: number }> {
	return hasBeginning(text) ? blankOutCode(text).matchAll(BEGINNING) : [];
}

/** Reads the calls that begin at the cursor, in any shape with marks. */
export function readBlock(cursor: TextCursor): CallBlock | undefined {
	const block =
		readMistralCalls(cursor) ??
		readMarkedBlock(cursor) ??
		readHarmonyCall(cursor) ??
		readFunctoolsCalls(cursor);
	if (block !== undefined) return block;
	const candidates = readNamedCall(cursor, '');
	return candidates && { candidates, to: cursor.at, allowsTextAfter: false };
}

interface FirstBlock {
	cursor: TextCursor;
	/** The text, with blanks where no call begins. */
	visible: string;
	first: CallBlock;
	/** Where it begins. */
	from: number;
}

/** Reads the blocks that follow the first one with nothing but blanks between them. */
function readFollowingBlocks({
	cursor,
	visible,
	first,
	from,
}: FirstBlock): Omit<TextCallReading, 'text'> {
	const candidates = [...first.candidates];
	let last = first;
	let isOpen = first.isOpen;
	while (candidates.length <= MAX_CALLS && candidates.at(-1)!.problems.length === 0) {
		cursor.at = last.to;
		cursor.skipBlanks();
		const isVisible = visible.at(cursor.at) === cursor.text.at(cursor.at);
		const next = isVisible ? readBlock(cursor) : undefined;
		if (next === undefined) break;
		pushAll(candidates, next.candidates);
		last = next;
		isOpen ??= next.isOpen;
	}
	const { allowsTextAfter } = last;
	return { candidates, range: { from, to: last.to }, allowsTextAfter, ...(isOpen && { isOpen }) };
}
