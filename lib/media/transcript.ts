import { isBinary, looksLikeHtml } from '../errors/failed-answer';
import { isRecord, nonEmptyText, parseJson, recordsIn, text, type JsonRecord } from '../values';
import { subtitleFormat, subtitlesFrom, wordsOfSubtitles, type SubtitleFormat } from './subtitles';

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
export interface NoTranscript {
	fault: 'page' | 'error' | 'noText';
}

const BEGINS_OBJECT = /^\s*\{\s*"/;

/**
 * A transcript, by what the answer is rather than by its type: whisper.cpp sends plain text as `text/html`, speaches
 * subtitles as `text/plain`, FastAPI servers a text as a JSON string.
 *
 * @param body the whole answer
 */
export function readTranscript(body: string, format: TranscriptFormat): Transcript | NoTranscript {
	const json = /^\s*[{["]/.test(body) ? parseJson(body) : undefined;
	// Spoken text may begin with a bracket or a quotation mark, but not like a JSON object.
	if ((json === undefined && BEGINS_OBJECT.test(body)) || isBinary(body))
		return { fault: 'noText' };
	if (json === undefined || json === null) return readText(body);
	if (typeof json === 'string') return readText(json);
	const record = isRecord(json) ? json : Array.isArray(json) ? { segments: json as unknown[] } : {};
	return readRecord(record, format);
}

function readText(body: string): Transcript | NoTranscript {
	if (looksLikeHtml(body)) return { fault: 'page' };
	const found = subtitleFormat(body);
	if (found === undefined) return { text: body.trim(), more: {} };
	return { text: wordsOfSubtitles(body), subtitles: { format: found, content: body }, more: {} };
}

function readRecord(record: JsonRecord, format: TranscriptFormat): Transcript | NoTranscript {
	const { text: said, transcription, ...more } = record;
	const words = text(said) ?? text(transcription) ?? wordsOfSegments(record.segments);
	if (isFailure(record, words)) return { fault: 'error' };
	// Ollama and others write null where nobody speaks.
	if (words === undefined && said !== null) return { fault: 'noText' };
	const asked = format === 'srt' || format === 'vtt' ? format : undefined;
	const held = words === undefined ? undefined : subtitleFormat(words);
	const content = held !== undefined ? words : asked && subtitlesFrom(record.segments, asked);
	return {
		text: (held === undefined ? (words ?? '') : wordsOfSubtitles(words!)).trim(),
		...(content === undefined ? {} : { subtitles: { format: held ?? asked!, content } }),
		more,
	};
}

/** An error inside a 200. */
function isFailure({ error, detail }: JsonRecord, words: string | undefined): boolean {
	return (
		(isRecord(error) || nonEmptyText(error) !== undefined || nonEmptyText(detail) !== undefined) &&
		!words
	);
}

function wordsOfSegments(segments: unknown): string | undefined {
	const list = recordsIn(segments);
	const words = list.flatMap((segment) => text(segment.text) ?? []);
	return words.length === 0
		? undefined
		: words.join(words.some((one) => /^\s/.test(one)) ? '' : ' ');
}
