/** Code and quotations in Markdown and HTML, in which marks and calls are examples. */
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
const CODE_TAG = /<(\/?)(code|pre)(?:\s[^<>]{0,200})?>/gi;
/** Longer elements and spans are taken for marks that were not closed. */
const MAX_ELEMENT = 2_000;

/** Whether a position is in a fenced code block. */
export function isInFence(text: string, at: number): boolean {
	return findFencedBlocks(text.slice(0, at), true).at(-1)?.isOpen === true;
}

/** A text of the same length, with blanks instead of its code. */
export function blankOutCode(text: string): string {
	return findCode(text).visible;
}

/** Code in a text. */
interface CodeOfText {
	/** The text with blanks instead of the code. */
	visible: string;
	/** Of each kind of code, its parts with their marks. Code of one kind may be in code of another one. */
	parts: string[];
}

function findCode(text: string): CodeOfText {
	const parts: string[] = [];
	let visible = text;
	const hide = (ranges: readonly TextRange[]) => {
		for (const { from, to } of ranges) parts.push(visible.slice(from, to));
		visible = blankOut(visible, ranges);
	};
	// A fence at the end of a line is code for some readers, and for others not: what either takes for code is code.
	const isFenceInLine = [false, true];
	for (const isAllowed of isFenceInLine) hide(findFencedBlocks(visible, isAllowed));
	for (const findRanges of [findElements, findCodeSpans]) hide(findRanges(visible));
	return { visible, parts };
}

/** The contents of the code of a text: blocks with fences, elements and spans. */
export function findCodeContents(text: string): string[] {
	return findCode(text).parts.map(withoutCodeMarks);
}

const FENCED = /^(?:```|~~~)/;
const OPENING_TAG = /^<(?:code|pre)(?:\s[^<>]{0,200})?>/i;
const CLOSING_TAG = /<\/(?:code|pre)>$/i;

/** Code without its fences, backticks or tags. */
function withoutCodeMarks(part: string): string {
	const code = part.trim();
	const lineEnd = FENCED.test(code) ? code.indexOf('\n') : -1;
	let from = lineEnd + 1;
	let to = code.length;
	while (lineEnd < 0 && code[from] === '`') from += 1;
	while (to > from && (code[to - 1] === '`' || (lineEnd >= 0 && code[to - 1] === '~'))) to -= 1;
	return code.slice(from, to).replace(OPENING_TAG, '').replace(CLOSING_TAG, '').trim();
}

/** Deeper lines are code, as in CommonMark. A list may be less deep. */
const CODE_INDENTATION = 4;
const LINE = /^([ \t]*)([^\r\n]*)/gm;
/** Also the points and letters that models write. */
const LIST_ITEM = /^(?:[-*+•◦▪‣·–—]|\(?(?:\d{1,9}|[A-Za-z])[.)])(?:[ \t]+|$)/;
/** A quotation, or a row of a table. */
const QUOTED_LINE = /^[>|]/;

/**
 * A text of the same length, with blanks instead of the lines that Markdown takes for a quotation, a list, a row of a table,
 * or code by its indentation. Indentation that all lines share is none.
 */
export function blankOutQuotedLines(text: string): string {
	const isIndented = /^(?: {4}| {0,3}\t)/m.test(text) && !/^(?! {4}| {0,3}\t)[ \t]*\S/m.test(text);
	const codeIndentation = isIndented ? 2 * CODE_INDENTATION : CODE_INDENTATION;
	const ranges: TextRange[] = [];
	let listIndentation = Infinity;
	for (const { 0: line, 1: blanks = '', 2: content = '', index: from } of text.matchAll(LINE)) {
		if (content === '') continue;
		const indentation = getWidth(blanks);
		const item = LIST_ITEM.exec(content)?.[0];
		const isInList = indentation >= listIndentation;
		if (!isInList) listIndentation = item === undefined ? Infinity : indentation + 2;
		const isQuoted = item !== undefined || isInList || QUOTED_LINE.test(content);
		if (isQuoted || indentation >= codeIndentation) ranges.push({ from, to: from + line.length });
	}
	return blankOut(text, ranges);
}

/** Characters of a tag and the blanks after it. */
const MAX_TAG = 300;
/** A backslash, a comment, or an element whose content is code or somebody else's. */
const OPEN_ELEMENT =
	/(?:\\|<!--|<(?:blockquote|code|details|example|kbd|pre|q|samp|summary|textarea|tool_response|tool_result|xmp)(?:\s[^<>]{0,200})?>)$/i;

/** Whether a position directly follows what makes it code or a quotation in HTML, also without an end. */
export function isInOpenElement(text: string, at: number): boolean {
	return OPEN_ELEMENT.test(text.slice(Math.max(0, at - MAX_TAG), at).trimEnd());
}

/** Columns of blanks and tabs. */
function getWidth(blanks: string): number {
	const addTo = (width: number, blank: string) =>
		blank === '\t' ? width + 4 - (width % 4) : width + 1;
	return Array.from(blanks).reduce(addTo, 0);
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
		else if (isEndOf(open.fence, { fence, match })) {
			blocks.push({ ...open, to: index + line.length, isOpen: false });
			open = undefined;
		}
	}
	return open === undefined ? blocks : [...blocks, { ...open, to: text.length, isOpen: true }];
}

/** Whether a fence ends a block: at least as many of the same signs, and nothing after them. */
function isEndOf(
	open: string,
	{ fence, match }: { fence: string; match: RegExpMatchArray },
): boolean {
	const info = match[2] ?? match[4] ?? match[6] ?? '';
	return fence.startsWith(open) && info.trim() === '';
}

/** HTML's elements `code` and `pre`. */
function findElements(text: string): TextRange[] {
	const ranges: TextRange[] = [];
	let open: { tag: string; from: number } | undefined;
	for (const { 0: mark, 1: slash, 2: tag = '', index: from } of text.matchAll(CODE_TAG)) {
		const isOld = open === undefined || from - open.from > MAX_ELEMENT;
		const name = tag.toLowerCase();
		if (slash === '' && isOld) open = { tag: name, from };
		if (slash === '' || open === undefined || open.tag !== name) continue;
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

/** A fence before data, not before a program, whose calls are those of the program. */
const DATA_FENCE =
	/^(?:```|~~~)(?:(?:json\w{0,8}|xml|te?xt|tool_\w{1,20})?[ \t]{0,20}\r?\n|json(?=[{[]))/i;

/**
 * The content of a text that is one code block with data and nothing else, also if its end is missing; any other text as it
 * is.
 */
export function withoutOuterFence(text: string): string {
	const trimmed = text.trim();
	const opening = DATA_FENCE.exec(trimmed)?.[0];
	if (opening === undefined) return text;
	const content = trimmed.slice(opening.length).replace(/\r?\n?(?:```|~~~)$/, '');
	return LOOSE_FENCE.test(content) ? text : content;
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
