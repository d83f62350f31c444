/**
 * Marks that models write around a transcript. The same characters in the middle of a sentence are speech about them, so a
 * mark counts only at the place where a model writes it. Pure.
 */

/** A text without marks. */
export interface UnmarkedText {
	text: string;
	/** That of the first mark that names one, in the words or the code of the model. */
	language?: string;
}

/** The marks of a family of models. */
interface MarkFamily {
	/** Marks before and after the text; the group is the language. */
	outer: RegExp;
	/** Marks between the parts of a text that begins with a mark of this family. */
	inner?: RegExp;
}

const FAMILIES: readonly MarkFamily[] = [
	// Qwen3-ASR (vLLM 33410): "language English<asr_text>Hello", and "language None<asr_text>" for silence. Each part of a
	// long recording begins with it.
	{
		outer: /(?:\blanguage (\w[\w ,-]{0,60}?) ?)?<\/?asr_text>/,
		inner: /\blanguage \w[\w ,-]{0,60}? ?<asr_text>/g,
	},
	// By form. Whisper (vLLM 17676): "<|startoftranscript|><|en|><|transcribe|><|0.00|>", with times between segments.
	// SenseVoice: "<|zh|><|NEUTRAL|><|Speech|><|woitn|>".
	{
		outer: /<\|(?:([a-z]{2,3})|[^\s<>|]{1,40})\|>/,
		inner: /<\|\d{1,6}\.\d{1,3}\|>/g,
	},
];

const OUTER_MARKS = FAMILIES.map(({ outer, inner }) => ({
	leading: new RegExp(`^(?:${outer.source})`),
	trailing: new RegExp(`(?:${outer.source})$`),
	inner,
}));

/** Longer than any mark. */
const MAX_MARK_LENGTH = 100;

/** Of whisper.cpp (its pull request 2629), for silence: a segment, which is a line of the text. */
const SILENCE = String.raw`\[ ?BLANK_AUDIO ?\]`;

const SILENT_LINE = new RegExp(`^[ \\t]*${SILENCE}|${SILENCE}[ \\t]*$`, 'gm');

const SILENT_SEGMENT = new RegExp(`^\\s*${SILENCE}\\s*$`);

const SILENT_PART = new RegExp(SILENCE, 'g');

/** Removes the marks around a text, and those between its parts. */
export function stripMarks(marked: string): UnmarkedText {
	const { text, language, inner } = stripLeading(marked.replace(SILENT_LINE, ''));
	const body = inner.reduce((rest, pattern) => rest.replace(pattern, ''), text);
	return { text: stripTrailing(body), language };
}

/** Whether a segment contains only the mark for silence. */
export function isSilentSegment(text: string): boolean {
	return SILENT_SEGMENT.test(text);
}

/** Removes the mark for silence everywhere: for a text whose segments show that it is none of its words. */
export function stripSilence(text: string): string {
	return text.replace(SILENT_PART, '');
}

/** A text without the marks at its beginning. */
interface LeadingMarks extends UnmarkedText {
	/** The marks that may follow between its parts. */
	inner: RegExp[];
}

function stripLeading(marked: string): LeadingMarks {
	const inner: RegExp[] = [];
	let language: string | undefined;
	let at = 0;
	for (;;) {
		at += /^\s*/.exec(marked.slice(at))![0].length;
		const head = marked.slice(at, at + MAX_MARK_LENGTH);
		const match = OUTER_MARKS.map((marks) => ({ marks, found: marks.leading.exec(head) })).find(
			({ found }) => found !== null,
		);
		if (match?.found == null) break;
		const [mark, name] = match.found;
		if (name !== undefined && name !== 'None') language ??= name;
		if (match.marks.inner && !inner.includes(match.marks.inner)) inner.push(match.marks.inner);
		at += mark.length;
	}
	// Blanks belong to the text: a segment of Whisper begins with a space.
	const isMarked = inner.length > 0 || marked.slice(0, at).trim() !== '';
	return { text: isMarked ? marked.slice(at) : marked, language, inner };
}

function stripTrailing(marked: string): string {
	let text = marked;
	for (;;) {
		const content = text.trimEnd();
		const tail = content.slice(-MAX_MARK_LENGTH);
		const mark = OUTER_MARKS.map(({ trailing }) => trailing.exec(tail)?.[0]).find(
			(found) => found !== undefined,
		);
		if (mark === undefined) return text;
		text = content.slice(0, -mark.length);
	}
}
