/** The times of a transcript, compared with each other and with the recording. Pure. */
import { formatDuration } from '../values/duration';

/** When words are spoken, in seconds. */
export interface Cue {
	start: number;
	end: number;
}

/** `00:01:02,500`, `01:02.500`, or seconds; hours of any length. */
const TIME = String.raw`(?:(\d+):)?(\d{1,2}):(\d{2}[.,]\d{1,3})|(\d+[.,]\d{1,3})`;

/** A line of SRT or VTT with the times of a cue. */
const LINE = new RegExp(String.raw`^\s*(?:${TIME})\s+-->\s+(?:${TIME})`);

/** The times in a line of a subtitle file; undefined if it is another one. */
export function parseCueLine(line: string): Cue | undefined {
	const match = LINE.exec(line);
	if (match === null) return undefined;
	const [, ...groups] = match;
	return { start: toSeconds(groups.slice(0, 4)), end: toSeconds(groups.slice(4)) };
}

function toSeconds([hours, minutes, seconds, only]: ReadonlyArray<string | undefined>): number {
	const toNumber = (text = '0') => Number(text.replace(',', '.'));
	return only === undefined
		? toNumber(hours) * 3600 + toNumber(minutes) * 60 + toNumber(seconds)
		: toNumber(only);
}

/** Servers fill the last window of a recording with silence, and round. */
const TOLERANCE_SECONDS = 1;

/**
 * What is wrong with the times of a transcript.
 *
 * @param recordingSeconds undefined if it is not known
 */
export function getCueHints(cues: readonly Cue[], recordingSeconds?: number): string[] {
	const backwards = cues.filter(({ start, end }) => end < start);
	const unordered = cues.filter(({ start }, at) => at > 0 && start < cues[at - 1]!.start);
	const late =
		recordingSeconds === undefined
			? []
			: cues.filter(({ start }) => start > recordingSeconds + TOLERANCE_SECONDS);
	const count = `of ${cues.length} times`;
	return [
		...describe(backwards, ({ start, end }) => {
			const first = `${toClock(start)} to ${toClock(end)}`;
			return `${backwards.length} ${count} end before they begin (${first}).`;
		}),
		...describe(
			unordered,
			({ start }) => `${unordered.length} ${count} begin before the one above (${toClock(start)}).`,
		),
		...describe(late, ({ start }) => {
			const end = formatDuration(Math.round(recordingSeconds! * 1000));
			return `${late.length} ${count} are after the end of the recording of ${end} (${toClock(start)}).`;
		}),
	].map((fact) => `The server returned wrong times: ${fact} Check the subtitles.`);
}

/** A sentence about the first of several cues. */
function describe([first]: readonly Cue[], toSentence: (cue: Cue) => string): string[] {
	return first === undefined ? [] : [toSentence(first)];
}

/** `5:46:50` */
function toClock(seconds: number): string {
	const pad = (value: number) => String(Math.floor(value) % 60).padStart(2, '0');
	return `${Math.floor(seconds / 3600)}:${pad(seconds / 60)}:${pad(seconds)}`;
}
