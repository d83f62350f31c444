import { finiteNumber, type JsonRecord, recordsIn, text } from '../values';

export type SubtitleFormat = 'srt' | 'vtt';

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Subtitle format of a text, by its content: servers send both formats as plain text. */
export function subtitleFormat(content: string): SubtitleFormat | undefined {
	const start = content.replace(BYTE_ORDER_MARK, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	const isNumbered = /^\d+\s*$/.test(first);
	return TIMES.test(isNumbered ? second : first) ? 'srt' : undefined;
}

/** The words of a file of subtitles, without numbers, times, notes and tags. */
export function wordsOfSubtitles(content: string): string {
	const cues = content.replace(BYTE_ORDER_MARK, '').split(/(?:\r?\n){2,}/);
	return cues
		.flatMap(linesBehindTimes)
		.map((line) => line.replace(/<\/?[^<>]*>/g, '').trim())
		.filter((line) => line !== '')
		.join('\n');
}

function linesBehindTimes(cue: string): string[] {
	const lines = cue.split(/\r?\n/);
	const at = lines.findIndex((line) => TIMES.test(line));
	return at < 0 ? [] : lines.slice(at + 1);
}

/** Seconds from the beginning of the recording. */
interface Cue {
	start: number;
	end: number;
	words: string;
}

/** Subtitles made from the segments of a transcript (start and end in seconds); undefined where none has times. */
export function subtitlesFrom(segments: unknown, format: SubtitleFormat): string | undefined {
	const cues = recordsIn(segments)
		.map(cueOf)
		.filter((cue) => cue !== undefined);
	if (cues.length === 0) return undefined;
	return format === 'srt'
		? cues.map(srtCue).join('\n')
		: `WEBVTT\n\n${cues.map(vttCue).join('\n')}`;
}

function cueOf(segment: JsonRecord): Cue | undefined {
	const start = finiteNumber(segment.start);
	const end = finiteNumber(segment.end);
	const words = text(segment.text)?.trim() ?? '';
	if (start === undefined || end === undefined || words === '') return undefined;
	return { start, end, words };
}

function srtCue({ start, end, words }: Cue, index: number): string {
	return `${index + 1}\n${time(start, ',')} --> ${time(end, ',')}\n${words}\n`;
}

function vttCue({ start, end, words }: Cue): string {
	return `${time(start, '.')} --> ${time(end, '.')}\n${words}\n`;
}

function time(seconds: number, point: string): string {
	const ms = Math.round(Math.max(0, seconds) * 1000);
	const digits = (value: number, count: number) => String(Math.floor(value)).padStart(count, '0');
	const hours = digits(ms / 3_600_000, 2);
	const minutes = digits((ms / 60_000) % 60, 2);
	return `${hours}:${minutes}:${digits((ms / 1000) % 60, 2)}${point}${digits(ms % 1000, 3)}`;
}
