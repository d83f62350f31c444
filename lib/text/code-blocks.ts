/** Code in Markdown and HTML, in which marks and calls are examples. */
import type { TextRange } from './calls/types';

/** At the beginning of a line, or as the last word of one. */
const FENCE = /^ {0,3}```|```[\w-]{0,20}(?=[ \t]{0,9}\n)/gm;
const HAS_FENCE = new RegExp(FENCE.source, 'm');
const CODE_SPAN = /`[^`\n]{1,200}`/g;
const CODE_TAG = /<(\/?)(code|pre)>/g;
/** Longer elements are taken for tags that were not closed. */
const MAX_ELEMENT = 2_000;

/** Whether a position is in a fenced code block. */
export function isInFence(text: string, at: number): boolean {
	return (text.slice(0, at).match(FENCE) ?? []).length % 2 === 1;
}

/** A text of the same length, with blanks instead of its code. */
export function blankOutCode(text: string): string {
	let visible = text;
	for (const findRanges of [findFencedBlocks, findElements, findCodeSpans])
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

/** Blocks with their fences; the last one may have no end. */
function findFencedBlocks(text: string): TextRange[] {
	const fences = [...text.matchAll(FENCE)];
	const ranges: TextRange[] = [];
	for (let index = 0; index < fences.length; index += 2) {
		const end = fences[index + 1];
		const to = end === undefined ? text.length : end.index + end[0].length;
		ranges.push({ from: fences[index]!.index, to });
	}
	return ranges;
}

/** Blocks whose content is looked at. */
const MAX_BLOCKS = 20;

/** The contents of the first fenced code blocks of a text. */
export function findCodeBlocks(text: string): string[] {
	return findFencedBlocks(text)
		.slice(0, MAX_BLOCKS)
		.map(({ from, to }) =>
			text
				.slice(from, to)
				.replace(/^[^\n]*\n/, '')
				.replace(/\s{0,9}```$/, ''),
		);
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

function findCodeSpans(text: string): TextRange[] {
	return [...text.matchAll(CODE_SPAN)].map(({ 0: span, index }) => ({
		from: index,
		to: index + span.length,
	}));
}

/**
 * The content of a text that is one fenced code block and nothing else.
 *
 * @returns undefined for any other text
 */
export function unwrapCodeBlock(text: string): string | undefined {
	const trimmed = text.trim();
	const [opening] = /^```[\w-]{0,20}[ \t]*\n/.exec(trimmed) ?? [];
	if (opening === undefined || !trimmed.endsWith('```')) return undefined;
	const content = trimmed.slice(opening.length, -'```'.length);
	return HAS_FENCE.test(content) ? undefined : content;
}
