import { FAMILIES } from './families';
import { beginningsOf, type Source, stop } from './source';

/** Opening and closing thinking markers: Mistral's, Kimi-VL's, those of the families. Tags are parsed separately. */
const THINKING = new Map([
	['[THINK]', '[/THINK]'],
	['◁think▷', '◁/think▷'],
	...FAMILIES.flatMap(({ thinking = [] }) => thinking),
]);
const THINKING_BEGINS = [...THINKING.keys()];
const THINKING_ENDS = [...new Set(THINKING.values())];

/** Markers that families put before and after the answer. */
const ANSWERS = new Map([
	['<|channel|>final<|message|>', '<|return|>'],
	['<|channel|>commentary<|message|>', ''],
	['<|start|>assistant<|channel|>final<|message|>', '<|return|>'],
	['<|start|>assistant<|channel|>commentary<|message|>', ''],
	['<|START_RESPONSE|>', '<|END_RESPONSE|>'],
	['<|START_TEXT|>', '<|END_TEXT|>'],
	['[BEGIN FINAL RESPONSE]', '[END FINAL RESPONSE]'],
]);
const ANSWER_BEGINS = [...ANSWERS.keys()];
/** Only after thinking, because a normal text may begin with them. */
const TAGS_BEHIND_THINKING = new Map([
	['<response>', '</response>'],
	['<answer>', '</answer>'],
]);
const BEGINS_BEHIND_THINKING = [...ANSWER_BEGINS, ...TAGS_BEHIND_THINKING.keys()];

/** `<think>` or `<thinking>` in any case, also with attributes; and what may become one. */
const TAG = /<(\/?)(think(?:ing)?)(?:\s[^<>[\]]{0,100})?(?<!\/)>/iy;
const TAG_BEGIN = /^<\/?(?:t|th|thi|thin|thinki|thinkin|think(?:ing)?(?:\s[^<>[\]]{0,100})?)?$/i;
const MAX_TAG = 115;

const TAG_BEGINNING = /<(?:\/?(?:[Tt][Hh]|[Tt]?$))/;
const MARKERS = [
	...THINKING_BEGINS,
	...THINKING_ENDS,
	...[...ANSWERS.values(), ...TAGS_BEHIND_THINKING.values()].filter((end) => end !== ''),
];

/** Where a thinking marker, or the end of an answer, may begin. */
export const MARKER_BEGIN = patternOf(MARKERS);

/** The same, by the first character of the marker. */
const PATTERNS = new Map(
	MARKERS.map(([first]) => [first, patternOf(MARKERS.filter((marker) => marker[0] === first))]),
);

function patternOf(markers: readonly string[]): RegExp {
	const { source } = beginningsOf(markers);
	const hasTags = markers.some((marker) => marker.startsWith('<'));
	return new RegExp(hasTags ? `${TAG_BEGINNING.source}|${source}` : source, 'g');
}

/** Where the end of a block may begin. */
export function blockEndBegin(close: string): RegExp {
	return PATTERNS.get(close[0])!;
}

/** A thinking marker. `close`: the matching closing marker; undefined for a closing marker. */
export interface Marker {
	text: string;
	close?: string;
}

/**
 * Consumes a marker: `<think>` or `<thinking>` in any case, also with attributes, or one of the families. Undefined if
 * none comes next.
 */
export function markerAt(
	source: Source,
	ends: readonly string[] = THINKING_ENDS,
): Marker | undefined {
	const begin = source.oneOf(THINKING_BEGINS);
	if (begin !== undefined) return { text: begin, close: THINKING.get(begin)! };
	const end = source.oneOf(ends);
	return end === undefined ? tagAt(source) : { text: end };
}

function tagAt(source: Source): Marker | undefined {
	TAG.lastIndex = source.at;
	const [tag, slash, name] = TAG.exec(source.text) ?? [];
	if (tag === undefined) {
		if (mayBecomeTag(source)) stop('more');
		return undefined;
	}
	source.at += tag.length;
	const close = `</${name!.toLowerCase()}>`;
	return slash === '' ? { text: tag, close } : { text: close };
}

function mayBecomeTag({ text, at, isWhole }: Source): boolean {
	return !isWhole && text.length - at <= MAX_TAG && TAG_BEGIN.test(text.slice(at));
}

/** Consumes the closing marker of a block. @returns whether it came */
export function endsBlock(source: Source, close: string): boolean {
	const marker = markerAt(source, [close]);
	if (marker === undefined) return false;
	return marker.text === close || `</${nameOf(marker.text)}>` === close;
}

function nameOf(tag: string): string {
	return /[a-z]+/i.exec(tag)![0].toLowerCase();
}

/**
 * Consumes the marker with which an answer begins.
 *
 * @returns the marker that ends the answer, empty if none does; undefined if no answer begins here
 */
export function answerAt(source: Source, isBehindThinking: boolean): string | undefined {
	const begin = source.oneOf(isBehindThinking ? BEGINS_BEHIND_THINKING : ANSWER_BEGINS);
	if (begin === undefined) return undefined;
	return ANSWERS.get(begin) ?? TAGS_BEHIND_THINKING.get(begin);
}

/** Whether a text holds anything that may end thinking. */
export function mayHoldThinkingEnd(text: string): boolean {
	return /<\/think/i.test(text) || THINKING_ENDS.some((end) => text.includes(end));
}
