/** Code in Markdown and HTML, in which marks and calls are examples. */
import type { TextRange } from './calls/types';

/**
 * A fence as in CommonMark: at least three backticks or tildes after at most three blanks, and no backtick after backticks.
 * Models also open a block with the last word of a line.
 */
const FENCE =
	/^ {0,3}(?:(`{3,})([^`\r\n]*)|(~{3,})(|[^~\r\n][^\r\n]*))$|(?<!`)(`{3,})([\w-]{0,20})[ \t]{0,9}$/gm;
/** A fence, or what models write in place of one at the end of a block. */
const LOOSE_FENCE = /^ {0,3}(?:```|~~~)|```[\w-]{0,20}(?=[ \t]{0,9}\r?\n)/m;
const BACKTICKS = /`+|\n[ \t]*(?=\r?\n)/g;
const CODE_TAG = /<(\/?)(code|pre)>/g;
/** Longer elements and spans are taken for marks that were not closed. */
const MAX_ELEMENT = 2_000;

/** Whether a position is in a fenced code block. */
export function isInFence(text: string, at: number): boolean {
	return findFencedBlocks(text.slice(0, at), true).at(-1)?.isOpen === true;
}

/** A text of the same length, with blanks instead of its code. */
export function blankOutCode(text: string): string {
	let visible = text;
	// A fence at the end of a line is code for some readers, and for others not: what either takes for code is code.
	const isFenceInLine = [false, true];
	for (const isAllowed of isFenceInLine)
		visible = blankOut(visible, findFencedBlocks(visible, isAllowed));
	for (const findRanges of [findElements, findCodeSpans])
		visible = blankOut(visible, findRanges(visible));
	return visible;
}

function blankOut(text: string, ranges: readonly TextRange[]): string {
	let visible = '';
	let at = 0;
	for (const { from, to } of ranges) {
		visible += text.slice(at, from) + ' '.repeat(to - from);
		at = to;
	}
	return visible + text.slice(at);
}

/** A block with its fences. */
interface FencedBlock extends TextRange {
	/** Whether it has no end. */
	isOpen: boolean;
	/** What the block begins with. */
	fence: string;
}

/**
 * @param isInLine whether a fence may be the last word of a line
 */
function findFencedBlocks(text: string, isInLine: boolean): FencedBlock[] {
	const blocks: FencedBlock[] = [];
	let open: { fence: string; from: number } | undefined;
	for (const match of text.matchAll(FENCE)) {
		const { 0: line, 1: backticks, 3: tildes, 5: inLine = '', index } = match;
		const fence = backticks ?? tildes ?? inLine;
		if (inLine !== '' && !isInLine) continue;
		if (open === undefined) open = { fence, from: index };
		else if (isEndOf(open.fence, fence, match)) {
			blocks.push({ ...open, to: index + line.length, isOpen: false });
			open = undefined;
		}
	}
	return open === undefined ? blocks : [...blocks, { ...open, to: text.length, isOpen: true }];
}

/** Whether a fence ends a block: at least as many of the same signs, and nothing after them. */
function isEndOf(open: string, fence: string, match: RegExpMatchArray): boolean {
	const info = match[2] ?? match[4] ?? match[6] ?? '';
	return fence.startsWith(open) && info.trim() === '';
}

/** Blocks whose content is looked at. */
const MAX_BLOCKS = 20;

/** The contents of the first fenced code blocks of a text. */
export function findCodeBlocks(text: string): string[] {
	return findFencedBlocks(text, true)
		.slice(0, MAX_BLOCKS)
		.map(({ from, to, fence, isOpen }) => {
			const content = text.slice(from, to).replace(/^[^\n]*\n/, '');
			return (isOpen ? content : content.trimEnd().slice(0, -fence.length)).trimEnd();
		});
}

/** HTML's elements `code` and `pre`. */
function findElements(text: string): TextRange[] {
	const ranges: TextRange[] = [];
	let open: { tag: string; from: number } | undefined;
	for (const { 0: mark, 1: slash, 2: tag = '', index: from } of text.matchAll(CODE_TAG)) {
		const isOld = open === undefined || from - open.from > MAX_ELEMENT;
		if (slash === '' && isOld) open = { tag, from };
		if (slash === '' || open === undefined || open.tag !== tag) continue;
		const to = from + mark.length;
		if (to - open.from <= MAX_ELEMENT) ranges.push({ from: open.from, to });
		open = undefined;
	}
	return ranges;
}

/**
 * Code in a paragraph, between as many backticks at its beginning as at its end (CommonMark).
 */
function findCodeSpans(text: string): TextRange[] {
	const marks = [...text.matchAll(BACKTICKS)];
	const ends = findEnds(marks.map(({ 0: mark }) => mark));
	const ranges: TextRange[] = [];
	for (let at = 0; at < marks.length; at += 1) {
		const end = ends[at];
		if (end === undefined) continue;
		const from = marks[at]!.index;
		const to = marks[end]!.index + marks[end]![0].length;
		if (to - from > MAX_ELEMENT) continue;
		ranges.push({ from, to });
		at = end;
	}
	return ranges;
}

/** The next mark with the same number of backticks for each mark, unless the paragraph ends before. */
function findEnds(marks: readonly string[]): Array<number | undefined> {
	const ends: Array<number | undefined> = marks.map(() => undefined);
	const next = new Map<number, number>();
	for (let at = marks.length - 1; at >= 0; at -= 1) {
		const mark = marks[at]!;
		if (!mark.startsWith('`')) {
			next.clear();
			continue;
		}
		ends[at] = next.get(mark.length);
		next.set(mark.length, at);
	}
	return ends;
}

/**
 * The content of a text that is one fenced code block and nothing else.
 *
 * @returns undefined for any other text
 */
export function unwrapCodeBlock(text: string): string | undefined {
	const trimmed = text.trim();
	const [opening, fence = ''] = /^(`{3,}|~{3,})[\w-]{0,20}[ \t]*\r?\n/.exec(trimmed) ?? [];
	if (opening === undefined || !trimmed.endsWith(fence)) return undefined;
	const content = trimmed.slice(opening.length, -fence.length);
	return LOOSE_FENCE.test(content) ? undefined : content;
}
