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
import { joinSplitSegments, joinSplitText } from './split-text';
import type { Cue } from './cue-times';
import { parseCueLine } from './cue-times';
import type { Steps } from '../http/steps';
import { runAtOnce } from '../http/steps';
import type { SubtitleFormat, Transcript } from './transcript-hints';
import { isSilentSegment, stripMarks, stripSilence } from './transcript-marks';
import { stripReasoning } from './transcript-reasoning';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

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
