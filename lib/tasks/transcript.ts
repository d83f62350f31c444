/** Parses transcripts by content, not by type: whisper.cpp sends plain text as `text/html`. Pure. */
import { isRecord, type JsonRecord, omitUndefined, asRecord, asRecords, asString } from '../values';
import { detectFileType } from '../files/file-types';
import { parseJson } from '../json';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

export interface Transcript {
	/** Empty for silence. */
	text: string;
	/** Subtitle file, if requested. */
	subtitles?: { format: 'srt' | 'vtt'; content: string };
	/** Other fields of the server, with its names: language, duration, segments, words. */
	extraFields: JsonRecord;
}

/** Markers that models add to the text; the group is the language. */
const MARKERS: readonly RegExp[] = [
	// whisper.cpp, for silence
	/\[ ?BLANK_AUDIO ?\]/g,
	// Qwen3-ASR: "language English<asr_text>Hello", and "language None<asr_text>" for silence
	/(?:\blanguage (\w[\w ,-]{0,60}?) ?)?<\/?asr_text>/g,
];

/**
 * Parses a transcript; undefined if the response is something else.
 *
 * @param body full response body
 */
export function parseTranscript(body: string, format: TranscriptFormat): Transcript | undefined {
	const isJsonFormat = format === 'json' || format === 'verbose_json';
	// Silence is a JSON object with an empty text.
	if (body.trim() === '') return isJsonFormat ? undefined : { text: '', extraFields: {} };
	if (detectFileType(Buffer.from(body.slice(0, 1000))) === undefined) return undefined;
	const json = /^\s*[{["]/.test(body) ? parseJson(body) : undefined;
	if (typeof json === 'string') return parseText(json);
	if (json !== undefined)
		return parseRecord(Array.isArray(json) ? { segments: json } : asRecord(json));
	// A transcript may begin with a bracket or a quotation mark, but not like a JSON object or a page.
	return /^\s*(?:\{\s*"|<(?:!doctype|html))/i.test(body) ? undefined : parseText(body);
}

function parseText(body: string, extraFields: JsonRecord = {}): Transcript {
	const { text, language } = stripMarkers(body);
	const fields = { ...omitUndefined({ language }), ...extraFields };
	const format = detectSubtitleFormat(text);
	if (format === undefined) return { text: text.trim(), extraFields: fields };
	const subtitles = { format, content: text };
	return { text: extractSubtitleText(text), subtitles, extraFields: fields };
}

function stripMarkers(marked: string): { text: string; language?: string } {
	let language: string | undefined;
	const text = MARKERS.reduce(
		(markedText, marker) =>
			markedText.replace(marker, (_all, name: unknown) => {
				if (typeof name === 'string' && name !== 'None') language ??= name;
				return '';
			}),
		marked,
	);
	return { text, ...omitUndefined({ language }) };
}

function parseRecord({ text: rawText, ...extraFields }: JsonRecord): Transcript | undefined {
	const segments = asRecords(extraFields.segments);
	const text = asString(rawText) ?? joinSegments(segments);
	const isError =
		!text &&
		(isRecord(extraFields.error) || Boolean(extraFields.error) || Boolean(extraFields.detail));
	// Ollama and others send null for silence.
	if (isError || (text === undefined && rawText !== null)) return undefined;
	const cleanedSegments = segments.map((segment) =>
		typeof segment.text === 'string'
			? { ...segment, text: stripMarkers(segment.text).text }
			: segment,
	);
	return parseText(
		text ?? '',
		segments.length === 0 ? extraFields : { ...extraFields, segments: cleanedSegments },
	);
}

function joinSegments(segments: readonly JsonRecord[]): string | undefined {
	const texts = segments.flatMap((segment) => asString(segment.text) ?? []);
	if (texts.length === 0) return undefined;
	return texts.join(texts.some((segmentText) => /^\s/.test(segmentText)) ? '' : ' ');
}

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;

/** Servers send both formats as plain text. */
function detectSubtitleFormat(content: string): 'srt' | 'vtt' | undefined {
	const start = content.replace(/^\uFEFF/, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return TIMES.test(/^\d+\s*$/.test(first) ? second : first) ? 'srt' : undefined;
}

/** Text of a subtitle file, without numbers, times, notes and tags. */
function extractSubtitleText(content: string): string {
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
