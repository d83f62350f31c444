/** Reads transcripts: as JSON, as words, or as subtitles, in steps. */
import { isErrorBody } from '../errors/error-body';
import { JsonMemory } from '../json-memory';
import { detectFileType } from '../files/file-types';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import { isRecord, omitUndefined, asRecords, asString } from '../values/records';
import { parseCutJson } from '../values/cut-json';
import { MAX_DEPTH } from '../values/json';
import { tryOrUndefined } from '../values/try-or-undefined';
import type { Cue } from './cue-times';
import { parseCueLine } from './cue-times';
import type { Steps } from '../http/steps';
import { runAtOnce } from '../http/steps';
import type { SubtitleFormat, Transcript } from './transcript-hints';
import { splitReasoning } from '../text/reasoning';
import { CLOSING_TAG } from '../text/thinking-tags';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

/** A text without marks. */
interface UnmarkedText {
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

/** A text without the marks at its beginning. */
interface LeadingMarks extends UnmarkedText {
	/** The marks that may follow between its parts. */
	inner: RegExp[];
}

/**
 * Parses a transcript by its content, not by its type: whisper.cpp sends plain text as `text/html`.
 *
 * @param body - The full body of the response.
 * @returns undefined if the response is something else.
 */
export function* parseTranscript(
	body: string,
	format: TranscriptFormat,
): Steps<Transcript | undefined> {
	const isJsonFormat = format === 'json' || format === 'verbose_json';
	// Silence is a JSON object with an empty text.
	if (!body.trim()) return isJsonFormat ? undefined : { text: '', extraFields: {} };
	if (!detectFileType(Buffer.from(body.slice(0, 1000)))) return undefined;
	const json = /^\s*[{["]/.test(body) ? yield* parseInSteps(body) : undefined;
	yield;
	if (isRecord(json) && !isText(json, format)) return yield* parseRecord(json);
	const text = json === undefined || isRecord(json) ? body : json;
	// A transcript may begin with a bracket or a quotation mark, but not like a JSON object, a stream or a page.
	if (typeof text !== 'string') return undefined;
	return !isRecord(json) && NO_TRANSCRIPT.test(text) ? undefined : yield* parseText(text);
}

/** Whether JSON is what was spoken: plain text was requested, and it is no response of a server. */
function isText(json: JsonRecord, format: TranscriptFormat): boolean {
	return format === 'text' && !('text' in json) && !isFailure(json);
}

function isFailure(json: JsonRecord): boolean {
	return isErrorBody(json) || Boolean(json.detail);
}

/** Characters of JSON whose memory is estimated in one step. */
const STEP_LENGTH = 256 * 1024;

/**
 * Parses JSON after its memory was estimated in steps. Building the values is the one step that stays long: 7 ms for each MB.
 *
 * @returns undefined if the text is not JSON, is nested too deeply, or has too many values.
 */
function* parseInSteps(source: string): Steps<unknown> {
	const memory = new JsonMemory();
	for (let at = 0; at < source.length; at += STEP_LENGTH) {
		memory.add(source.slice(at, at + STEP_LENGTH));
		if (memory.deepest > MAX_DEPTH || memory.bytes > TASK_LIMITS.transcribe.received.parsedBytes)
			return undefined;
		yield;
	}
	return tryOrUndefined(() => JSON.parse(source) as unknown);
}

/** Characters of the beginning of a response: an error keeps no more of its text. */
const MAX_CUT_LENGTH = 1_000_000;

/** The text in the beginning of a response that broke off; empty if it has none. */
export function readCutTranscript(body: string): string {
	const beginning = body.slice(0, MAX_CUT_LENGTH);
	const json = /^\s*\{/.test(beginning) ? parseCutJson(beginning) : undefined;
	const steps = isRecord(json) ? parseRecord(json) : parseTranscript(beginning, 'text');
	return runAtOnce<Transcript | undefined>(steps)?.text ?? '';
}

/** JSON that cannot be read, an event, or a page: gateways also send parts of one, which begin with any of its tags. */
const NO_TRANSCRIPT =
	/^\s*(?:(?:data:\s*)?\{\s*"|<(?:!doctype|!--|\?xml|(?:html|head|body|title|meta|center|div|pre|p|h[1-6])[\s>]))/i;

/** A response with its text in `text`, which is null for silence in some servers. */
function* parseRecord({
	text: receivedText,
	...extraFields
}: JsonRecord): Steps<Transcript | undefined> {
	if (typeof receivedText !== 'string' && receivedText !== null) return undefined;
	const text = receivedText ?? '';
	if (text === '' && isFailure(extraFields)) return undefined;
	const segments = asRecords(extraFields.segments);
	if (segments.length === 0) return yield* parseText(text, extraFields);
	const hasSilence = segments.some((segment) => isSilentSegment(asString(segment.text) ?? ''));
	yield;
	const cleanedSegments = joinSplitSegments(segments);
	for (const [at, segment] of cleanedSegments.entries()) {
		if (typeof segment.text === 'string')
			cleanedSegments[at] = { ...segment, text: stripMarks(segment.text).text };
		yield;
	}
	return yield* parseText(hasSilence ? stripSilence(text) : text, {
		...extraFields,
		segments: cleanedSegments,
	});
}

function* parseText(body: string, extraFields: JsonRecord = {}): Steps<Transcript> {
	const format = detectSubtitleFormat(body);
	if (format !== undefined) return yield* parseSubtitles(body, format, extraFields);
	const { text, language } = stripMarks(stripReasoning(body));
	yield;
	return {
		text: joinSplitText(text).trim(),
		extraFields: { ...omitUndefined({ language }), ...extraFields },
	};
}

/** Servers send both formats as plain text. */
function detectSubtitleFormat(content: string): SubtitleFormat | undefined {
	const start = content
		.slice(0, 1000)
		.replace(/^\uFEFF/, '')
		.trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return parseCueLine(/^\d+\s*$/.test(first) ? second : first) ? 'srt' : undefined;
}

/** The lines without marks, and the text without numbers, times, notes and tags. */
function* parseSubtitles(
	body: string,
	format: SubtitleFormat,
	extraFields: JsonRecord,
): Steps<Transcript> {
	const lines: string[] = [];
	const textLines: string[] = [];
	const cues: Cue[] = [];
	let isInCue = false;
	for (const markedLine of body.split('\n')) {
		const line = stripMarks(markedLine).text;
		const words = line.replace(/<\/?[^<>]*>/g, '').trim();
		lines.push(line);
		const cue = parseCueLine(line);
		if (cue) cues.push(cue);
		if (line.trim() === '') isInCue = false;
		else if (cue) isInCue = true;
		else if (isInCue && words !== '') textLines.push(words);
		yield;
	}
	const content = lines.join('\n');
	return { text: textLines.join('\n'), subtitles: { format, content }, cues, extraFields };
}

/** Gemma's end of thinking, of which a server may remove the beginning. */
const GEMMA_END = '<channel|>';

const ENDS_WITH_THINKING = new RegExp(`(?:${CLOSING_TAG}|<channel\\|>)\\s*$`);

/**
 * Removes the thinking that models write before a transcript: those that answer with speech and text may think. Pure.
 *
 * @returns the response as it is, if its thinking has no end
 */
export function stripReasoning(response: string): string {
	const { text } = splitReasoning(response, true);
	const isCutOff = text.trim() === '' && !ENDS_WITH_THINKING.test(response);
	return isCutOff ? response : stripUnopened(text);
}

/** A sentence that mentions the mark has a blank before it; a model may also end its text with it. */
function stripUnopened(text: string): string {
	const at = text.indexOf(GEMMA_END);
	if (at < 0 || text[at - 1] === ' ') return text;
	const rest = text.slice(at + GEMMA_END.length);
	return rest.trim() === '' ? text.slice(0, at) : rest;
}

/**
 * Marks that models write around a transcript. The same characters in the middle of a sentence are speech about them, so a
 * mark counts only at the place where a model writes it. Pure.
 */
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

/**
 * What whisper.cpp 1.8.4 and newer break at the end of a segment (its issue 3968): a letter, a line end, and a small letter
 * without a space.
 */
const BROKEN_WORD = /(?<=\p{L})\n(?=\p{Ll})/gu;

/** The rest of a word at the beginning of a segment. */
const REST = /^\p{Ll}[\p{L}\p{M}]*[.,!?;:]?(?=\s|$)/u;

/** Joins the broken words of a text whose lines begin with a space, unless a word continues there. */
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
