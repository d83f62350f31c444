import { isBinary, looksLikeHtml } from '../errors/failed-answer';
import { parseJson } from '../json';
import { isRecord, nonEmptyText, recordOf, recordsIn, text, type JsonRecord } from '../values';
import { subtitleFormat, wordsOfSubtitles, type SubtitleFormat } from './subtitles';

/** `response_format` of OpenAI's API. */
export type TranscriptFormat = 'json' | 'text' | 'verbose_json' | 'srt' | 'vtt';

export interface Transcript {
	/** Trimmed; empty where nobody speaks. */
	text: string;
	/** The subtitle file, where one was asked for. */
	subtitles?: { format: SubtitleFormat; content: string };
	/** The server's other fields, under its own names: language, duration, segments, words. */
	more: JsonRecord;
}

/** Why an answer is no transcript. */
interface NoTranscript {
	fault: 'page' | 'error' | 'noText' | 'empty';
}

const BEGINS_JSON = /^\s*[{["]/;
const BEGINS_OBJECT = /^\s*\{\s*"/;

/**
 * A transcript, by what the answer is rather than by its type: whisper.cpp sends plain text as `text/html`, speaches
 * subtitles as `text/plain`, FastAPI servers a text as a JSON string.
 *
 * @param body the whole answer
 */
export function readTranscript(body: string, format: TranscriptFormat): Transcript | NoTranscript {
	// Silence is a JSON object with an empty text.
	if (body.trim() === '' && isJsonFormat(format)) return { fault: 'empty' };
	if (isBinary(body)) return { fault: 'noText' };
	const json = BEGINS_JSON.test(body) ? parseJson(body) : undefined;
	if (json !== undefined) return readJson(json);
	// Spoken text may begin with a bracket or a quotation mark, but not like a JSON object.
	return BEGINS_OBJECT.test(body) ? { fault: 'noText' } : readText(body);
}

function readJson(json: unknown): Transcript | NoTranscript {
	if (typeof json === 'string') return readText(json);
	if (Array.isArray(json)) return readRecord({ segments: json });
	return readRecord(recordOf(json));
}

function isJsonFormat(format: TranscriptFormat): boolean {
	return format === 'json' || format === 'verbose_json';
}

/** Without whisper.cpp's mark of silence. */
function spokenText(transcript: string): string {
	return transcript.replaceAll('[BLANK_AUDIO]', '').trim();
}

function readText(body: string): Transcript | NoTranscript {
	if (looksLikeHtml(body)) return { fault: 'page' };
	return { ...(transcriptFromSubtitles(body) ?? { text: spokenText(body) }), more: {} };
}

function transcriptFromSubtitles(
	content: string,
): Pick<Transcript, 'text' | 'subtitles'> | undefined {
	const format = subtitleFormat(content);
	if (format === undefined) return undefined;
	return { text: spokenText(wordsOfSubtitles(content)), subtitles: { format, content } };
}

function readRecord(record: JsonRecord): Transcript | NoTranscript {
	const { text: ownText, transcription, ...more } = record;
	const words = text(ownText) ?? text(transcription) ?? wordsOfSegments(record.segments);
	if (isFailure(record, words)) return { fault: 'error' };
	// Ollama and others write null where nobody speaks.
	if (words === undefined && ownText !== null) return { fault: 'noText' };
	const fromSubtitles = transcriptFromSubtitles(words ?? '');
	if (fromSubtitles !== undefined) return { ...fromSubtitles, more };
	return { text: spokenText(words ?? ''), more };
}

/** An error inside a 200. */
function isFailure({ error, detail }: JsonRecord, words: string | undefined): boolean {
	if (words) return false;
	return isRecord(error) || isFilledText(error) || isFilledText(detail);
}

function isFilledText(value: unknown): boolean {
	return nonEmptyText(value) !== undefined;
}

function wordsOfSegments(segments: unknown): string | undefined {
	const list = recordsIn(segments);
	const words = list.flatMap((segment) => text(segment.text) ?? []);
	if (words.length === 0) return undefined;
	const haveSpaces = words.some((one) => /^\s/.test(one));
	return words.join(haveSpaces ? '' : ' ');
}
