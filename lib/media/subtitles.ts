import { finiteNumber, nonEmptyText, recordsIn } from '../values';

export type SubtitleFormat = 'srt' | 'vtt';

const TIMES = /^\s*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}/;

/** Subtitle format of a text, by its content: servers send both formats as plain text. */
export function subtitleFormat(text: string): SubtitleFormat | undefined {
	const start = text.replace(/^\uFEFF/, '').trimStart();
	if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
	const [first = '', second = ''] = start.split(/\r?\n/, 2);
	return TIMES.test(first) || (/^\d+\s*$/.test(first) && TIMES.test(second)) ? 'srt' : undefined;
}

/** The words of a file of subtitles, without numbers, times, notes and tags. */
export function wordsOfSubtitles(text: string): string {
	const cues = text.replace(/^\uFEFF/, '').split(/(?:\r?\n){2,}/);
	return cues
		.flatMap((cue) => {
			const lines = cue.split(/\r?\n/);
			const at = lines.findIndex((line) => TIMES.test(line));
			return at < 0 ? [] : lines.slice(at + 1);
		})
		.map((line) => line.replace(/<\/?[^<>]*>/g, '').trim())
		.filter((line) => line !== '')
		.join('\n');
}

/** Subtitles made from the segments of a transcript (start and end in seconds); undefined where none has times. */
export function subtitlesFrom(segments: unknown, format: SubtitleFormat): string | undefined {
	const cues = recordsIn(segments).flatMap(({ start, end, text }) => {
		const [from, to, words] = [finiteNumber(start), finiteNumber(end), nonEmptyText(text)?.trim()];
		return from === undefined || to === undefined || words === undefined || words === ''
			? []
			: [{ from, to, words }];
	});
	if (cues.length === 0) return undefined;
	const point = format === 'srt' ? ',' : '.';
	const body = cues.map(({ from, to, words }, index) => {
		const times = `${time(from, point)} --> ${time(to, point)}`;
		return `${format === 'srt' ? `${index + 1}\n` : ''}${times}\n${words}\n`;
	});
	return `${format === 'vtt' ? 'WEBVTT\n\n' : ''}${body.join('\n')}`;
}

function time(seconds: number, point: string): string {
	const ms = Math.round(Math.max(0, seconds) * 1000);
	const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
	return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${point}${String(ms % 1000).padStart(3, '0')}`;
}
