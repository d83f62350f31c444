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
