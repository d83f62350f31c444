/** Words that whisper.cpp 1.8.4 and newer break at the end of a segment (its issue 3968). Pure. */
import type { JsonRecord } from '../values/records';
import { asString } from '../values/records';

/** A letter, a line end, and a small letter without a space. */
const BROKEN_WORD = /(?<=\p{L})\n(?=\p{Ll})/gu;
/** The rest of a word at the beginning of a segment. */
const REST = /^\p{Ll}[\p{L}\p{M}]*[.,!?;:]?(?=\s|$)/u;

/** Joins the words of a text whose lines begin with a space, unless a word continues there. */
export function joinSplitText(text: string): string {
	const startsWithSpace = /^ \S/.test(text) && /\n(?: \S|$)/.test(text);
	return startsWithSpace ? text.replace(BROKEN_WORD, '') : text;
}

/** The same for segments: the rest of a word moves to the segment with its beginning. */
export function joinSplitSegments(segments: readonly JsonRecord[]): JsonRecord[] {
	const texts = segments.map(({ text }) => asString(text) ?? '');
	const startsWithSpace = texts.filter((text) => /^ \S/.test(text)).length * 2 > texts.length;
	if (!startsWithSpace) return [...segments];
	for (const [at, text] of texts.entries()) {
		const [rest = ''] = at > 0 && /\p{L}$/u.test(texts[at - 1]!) ? (REST.exec(text) ?? []) : [];
		if (!rest) continue;
		texts[at - 1] += rest;
		texts[at] = text.slice(rest.length);
	}
	return segments.map((segment, at) =>
		segment.text === texts[at] || typeof segment.text !== 'string'
			? segment
			: { ...segment, text: texts[at]! },
	);
}
