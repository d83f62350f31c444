/** Reads transcripts by what they are rather than by their type: whisper.cpp sends plain text as `text/html`. Pure. */
import { isRecord, type JsonRecord, omitUndefined, asRecord, asRecords, asString } from '../values';
import { detectFileType } from '../files';
import { parseJson } from '../json';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

export interface Transcript {
	/** Empty where nobody speaks. */
	text: string;
	/** The subtitle file, where one was asked for. */
	subtitles?: { format: 'srt' | 'vtt'; content: string };
	/** The server's other fields, under its own names: language, duration, segments, words. */
	extraFields: JsonRecord;
}

/** Marks that models put around what is said; the group is the language. */
const MARKERS: readonly RegExp[] = [
	// whisper.cpp, of silence
	/\[ ?BLANK_AUDIO ?\]/g,
	// Qwen3-ASR: "language English<asr_text>Hello", and "language None<asr_text>" of silence
	/(?:\blanguage (\w[\w ,-]{0,60}?) ?)?<\/?asr_text>/g,
];

/**
 * A transcript; undefined for an answer that is none.
 *
 * @param body the whole answer
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
	// Spoken text may begin with a bracket or a quotation mark, but not like a JSON object or a page.
	return /^\s*(?:\{\s*"|<(?:!doctype|html))/i.test(body) ? undefined : parseText(body);
}

function parseText(body: string, more: JsonRecord = {}): Transcript {
	const { spoken, language } = stripMarkers(body);
	const fields = { ...omitUndefined({ language }), ...more };
	const format = subtitleFormat(spoken);
	if (format === undefined) return { text: spoken.trim(), extraFields: fields };
	const subtitles = { format, content: spoken };
	return { text: wordsOfSubtitles(spoken), subtitles, extraFields: fields };
}

function stripMarkers(marked: string): { spoken: string; language?: string } {
	let language: string | undefined;
	const spoken = MARKERS.reduce(
		(words, mark) =>
			words.replace(mark, (_all, name: unknown) => {
				if (typeof name === 'string' && name !== 'None') language ??= name;
				return '';
			}),
		marked,
	);
	return { spoken, ...omitUndefined({ language }) };
}

function parseRecord({ text: own, ...more }: JsonRecord): Transcript | undefined {
	const segments = asRecords(more.segments);
	const words = asString(own) ?? wordsOf(segments);
	const isError = !words && (isRecord(more.error) || Boolean(more.error) || Boolean(more.detail));
	// Ollama and others write null where nobody speaks.
	if (isError || (words === undefined && own !== null)) return undefined;
	const cleaned = segments.map((segment) =>
		typeof segment.text === 'string'
			? { ...segment, text: stripMarkers(segment.text).spoken }
			: segment,
	);
	return parseText(words ?? '', segments.length === 0 ? more : { ...more, segments: cleaned });
}

function wordsOf(segments: readonly JsonRecord[]): string | undefined {
	const words = segments.flatMap((segment) => asString(segment.text) ?? []);
	if (words.length === 0) return undefined;
	return words.join(words.some((one) => /^\s/.test(one)) ? '' : ' ');
}

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;

/** Servers send both formats as plain text. */
function subtitleFormat(content: string): 'srt' | 'vtt' | undefined {
	const start = content.replace(/^\uFEFF/, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return TIMES.test(/^\d+\s*$/.test(first) ? second : first) ? 'srt' : undefined;
}

/** The words of a file of subtitles, without numbers, times, notes and tags. */
function wordsOfSubtitles(content: string): string {
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
