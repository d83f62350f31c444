/** Reads transcripts in the formats of all servers. */
import { isErrorBody } from '../errors/error-body';
import { detectFileType } from '../files/file-types';
import type { JsonRecord } from '../values/records';
import { isRecord, omitUndefined, asArray, asRecord, asRecords, asString } from '../values/records';
import { parseCutJson } from '../values/cut-json';
import { parseJson } from '../values/json';
import { getSegmentTimes, withSegments } from './segment-times';
import { joinSplitSegments, joinSplitText } from './split-text';
import type { SubtitleFormat, Transcript } from './transcript-hints';
import { isSilentSegment, stripLineMarks, stripMarks, stripSilence } from './transcript-marks';
import { stripReasoning } from './transcript-reasoning';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

/**
 * Parses a transcript by its content, not by its type: whisper.cpp sends plain text as `text/html`.
 *
 * @param body - The full body of the response.
 * @returns undefined if the response is something else.
 */
export function parseTranscript(body: string, format: TranscriptFormat): Transcript | undefined {
	const isJsonFormat = format === 'json' || format === 'verbose_json';
	// Silence is a JSON object with an empty text.
	if (!body.trim()) return isJsonFormat ? undefined : { text: '', extraFields: {} };
	if (!detectFileType(Buffer.from(body.slice(0, 1000)))) return undefined;
	const json = /^\s*[{["]/.test(body)
		? (parseJson(body, MAX_MEMORY) ?? parseJsonLines(body))
		: undefined;
	if (typeof json === 'string') return parseText(json);
	if (isRecord(json) && isErrorBody(json) && typeof json.text !== 'string') return undefined;
	if (json !== undefined) return parseRecord(withSegments(toOpenAiForm(json)));
	// A transcript may begin with a bracket or a quotation mark, but not like a JSON object, a stream or a page.
	return NO_TRANSCRIPT.test(body) ? undefined : parseText(body);
}

/** Characters of the beginning of a response: an error keeps no more of its text. */
const MAX_CUT_LENGTH = 1_000_000;

/** The text in the beginning of a response that broke off; empty if it has none. */
export function readCutTranscript(body: string): string {
	const beginning = body.slice(0, MAX_CUT_LENGTH);
	const json = /^\s*[{[]/.test(beginning) ? parseCutJson(beginning) : undefined;
	const transcript =
		json === undefined
			? parseTranscript(beginning, 'text')
			: parseRecord(withSegments(toOpenAiForm(json)));
	return transcript?.text ?? '';
}

/**
 * A transcript as lines of JSON, as mlx-audio streams it: the line with the full text, or parts of it.
 *
 * @returns undefined if a line is not a JSON object, or an error
 */
function parseJsonLines(body: string): JsonRecord | undefined {
	const lines = body.split('\n').filter((line) => line.trim() !== '');
	if (lines.length < 2) return undefined;
	// As one list, under one budget.
	const list = asArray(parseJson(`[${lines.join(',')}]`, MAX_MEMORY));
	const records = asRecords(list);
	if (records.length !== lines.length || records.some(isErrorBody)) return undefined;
	const last = records.at(-1)!;
	// The last line has the full text.
	if (Array.isArray(last.segments) && typeof last.text === 'string') return last;
	if (!records.every(({ text }) => typeof text === 'string')) return undefined;
	const text =
		asString(last.accumulated) ?? records.map((record) => asString(record.text)).join('');
	const segments = records.filter((record) => getSegmentTimes(record) !== undefined);
	return { text, ...(segments.length === records.length && { segments }) };
}

/** JSON that cannot be read, an event, or a page: gateways also send parts of one, which begin with any of its tags. */
const NO_TRANSCRIPT =
	/^\s*(?:(?:data:\s*)?\{\s*"|<(?:!doctype|!--|\?xml|(?:html|head|body|title|meta|center|div|pre|p|h[1-6])[\s>]))/i;

/** Names of the text, or of what contains it: whisper.cpp, FunASR, Deepgram, custom servers. */
const TEXT_NAMES = [
	'text',
	'segments',
	'transcription',
	'transcript',
	'results',
	'result',
	'data',
	'output',
	'channels',
	'alternatives',
	// Chat completions of models for audio
	'message',
	'content',
] as const;

/** A response with its text in `text` or in `segments`. */
function toOpenAiForm(value: unknown, depth = 8): JsonRecord {
	if (typeof value === 'string') return { text: value };
	if (Array.isArray(value))
		return { segments: value.map((entry) => toOpenAiForm(entry, depth - 1)) };
	const { choices, ...response } = asRecord(value);
	const [choice] = asRecords(choices);
	const isChoice = choice !== undefined && typeof response.text !== 'string';
	const record = isChoice ? { ...response, ...choice } : asRecord(value);
	const name = TEXT_NAMES.find((key) => (record[key] ?? undefined) !== undefined);
	if (name === undefined || typeof record.text === 'string' || depth < 1) return record;
	const { [name]: content, ...fields } = record;
	return { ...fields, ...toOpenAiForm(content, depth - 1) };
}

function parseText(body: string, extraFields: JsonRecord = {}): Transcript {
	const { text: unmarkedText, language } = stripMarks(stripReasoning(body));
	const text = joinSplitText(unmarkedText);
	const fields = { ...omitUndefined({ language }), ...extraFields };
	const format = detectSubtitleFormat(text);
	if (format === undefined) return { text: text.trim(), extraFields: fields };
	const content = stripLineMarks(text);
	return {
		text: extractSubtitleText(content),
		subtitles: { format, content },
		extraFields: fields,
	};
}

function parseRecord({ text: rawText, ...extraFields }: JsonRecord): Transcript | undefined {
	const segments = asRecords(extraFields.segments);
	const receivedText = asString(rawText) ?? joinSegments(segments);
	const hasSilence = segments.some(({ text: segment }) => isSilentSegment(asString(segment) ?? ''));
	const text = hasSilence && receivedText ? stripSilence(receivedText) : receivedText;
	const isError =
		!text &&
		(isRecord(extraFields.error) || Boolean(extraFields.error) || Boolean(extraFields.detail));
	// Ollama and others send null for silence.
	if (isError || (text === undefined && rawText !== null)) return undefined;
	const cleanedSegments = joinSplitSegments(segments).map((segment) =>
		typeof segment.text === 'string'
			? { ...segment, text: stripMarks(stripReasoning(segment.text)).text }
			: segment,
	);
	return parseText(
		text ?? '',
		segments.length === 0 ? extraFields : { ...extraFields, segments: cleanedSegments },
	);
}

function joinSegments(segments: JsonRecord[]) {
	const texts = segments.flatMap((segment) => asString(segment.text) ?? []);
	if (texts.length === 0) return undefined;
	return texts.join(texts.some((segmentText) => /^\s/.test(segmentText)) ? '' : ' ');
}

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;

/** Servers send both formats as plain text. */
function detectSubtitleFormat(content: string): SubtitleFormat | undefined {
	const start = content.replace(/^\uFEFF/, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return TIMES.test(/^\d+\s*$/.test(first) ? second : first) ? 'srt' : undefined;
}

/** Text of a subtitle file, without numbers, times, notes and tags. */
function extractSubtitleText(content: string) {
	return content
		.split(/(?:\r?\n){2,}/)
		.flatMap((cue) => {
			const lines = cue.split(/\r?\n/);
			const at = lines.findIndex((line) => TIMES.test(line));
			return at < 0 ? [] : lines.slice(at + 1);
		})
		.map((line) => line.replace(/<\/?[^<>]*>/g, '').trim())
		.filter((line) => line !== '')
		.join('\n');
}

/** Bytes of memory of its segments and words: 300,000 words, each with four fields. */
export const MAX_MEMORY = 128 * 1024 * 1024;
