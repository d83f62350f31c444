/** Times of a transcript that cannot be: in nanoseconds (LocalAI), or in no order. Pure. */
import type { JsonRecord } from '../values/records';
import { asRecords, isRecord } from '../values/records';
import { asFiniteNumber, maxOf } from '../values/numbers';
import type { Transcript } from './transcript-hints';
import { getOwn } from '../values/own-properties';

/** A transcript whose times are in seconds, as far as that is certain. */
export interface TimedTranscript {
	transcript: Transcript;
	/** At most one. */
	hints: string[];
}

/** LocalAI sends the durations of Go. */
const NANOSECONDS = 1e9;

/** Seconds. Whisper works in windows of this length, and may end a segment with its window. */
const WINDOW = 30;

/** Seconds that an end may be after the end of the recording, because both are rounded. */
const MAX_ROUNDING = 1;

/** Seconds: shorter than any word, so a time below it was not in nanoseconds. */
const MIN_TIME = 0.001;

/** Seconds that a segment may begin before the previous one: speakers interrupt each other. */
const MAX_OVERLAP = 1;

/** Seconds: 100 hours, more than any recording. */
const MAX_TIME = 360_000;

/**
 * Converts nanoseconds to seconds if all evidence agrees: the times are after the end of the recording, and every one of
 * them fits into it if it is divided. Other times that cannot be stay as they are, with a hint.
 */
export function correctTimes(transcript: Transcript): TimedTranscript {
	const { extraFields, subtitles } = transcript;
	const duration = asFiniteNumber(toTime(extraFields.duration));
	const segments = asRecords(extraFields.segments);
	const lists = [
		segments,
		segments.flatMap(({ words }) => asRecords(words)),
		asRecords(extraFields.words),
	].map((entries) => checkTimes(entries, duration));
	const isConverted = lists.some(({ inNanoseconds }) => inNanoseconds);
	const isImpossible =
		toTime(extraFields.duration) === Infinity ||
		lists.some((list) => list.isImpossible) ||
		(subtitles !== undefined && areImpossible(parseCues(subtitles.content), undefined));
	const convertedHints = isConverted ? [CONVERTED_HINT] : [];
	const [segmentTimes, nestedTimes, wordTimes] = lists;
	const corrected = {
		...transcript,
		extraFields: {
			...extraFields,
			...convertList(extraFields, 'segments', (segment) => ({
				...toSeconds(segment, segmentTimes!),
				...convertList(segment, 'words', (word) => toSeconds(word, nestedTimes!)),
			})),
			...convertList(extraFields, 'words', (word) => toSeconds(word, wordTimes!)),
		},
	};
	return {
		transcript: isConverted ? corrected : transcript,
		hints: isImpossible ? [IMPOSSIBLE_HINT] : convertedHints,
	};
}

const IMPOSSIBLE_HINT =
	'The times of the transcript cannot be right: they run backwards, or are after the end of the recording. The server may count in another unit than seconds.';

const CONVERTED_HINT = 'The server sent times in nanoseconds, which were converted to seconds.';

/** What is known about the times of a list. */
interface ListTimes {
	/** Only if that is certain. */
	inNanoseconds: boolean;
	/** In nanoseconds as well as in seconds. */
	isImpossible: boolean;
}

/** An entry with times, in seconds as far as the server says. */
interface TimeRange {
	start?: number;
	end?: number;
	/** Set if the lists of several channels follow each other. */
	hasChannel: boolean;
}

function checkTimes(entries: readonly JsonRecord[], duration: number | undefined): ListTimes {
	const ranges = entries.map((entry) => ({
		start: toTime(entry.start),
		end: toTime(entry.end),
		hasChannel: (entry.channel ?? entry.speaker ?? undefined) !== undefined,
	}));
	const inNanoseconds = fitInNanoseconds(ranges, duration);
	const seconds = ranges.map((range) => toSeconds(range, { inNanoseconds }));
	const isImpossible = areImpossible(seconds, duration);
	return { inNanoseconds: inNanoseconds && !isImpossible, isImpossible };
}

/** Also from a text, as OpenAI writes a duration. Infinite for hundreds of digits, which cannot be a time. */
function toTime(value: unknown): number | undefined {
	if (typeof value === 'number') return value;
	return typeof value === 'string' && NUMBER.test(value) ? Number(value) : undefined;
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

function fitInNanoseconds(ranges: readonly TimeRange[], duration = 0) {
	const times = ranges
		.flatMap(({ start, end }) => [start ?? 0, end ?? 0])
		.filter((time) => time !== 0);
	if (duration <= 0 || times.length === 0 || maxOf(times) <= duration + WINDOW) return false;
	return times.every((time) => {
		const seconds = time / NANOSECONDS;
		return seconds >= MIN_TIME && seconds <= duration + MAX_ROUNDING;
	});
}

function areImpossible(ranges: readonly TimeRange[], duration: number | undefined) {
	const last = Math.min(
		duration === undefined || duration <= 0 ? MAX_TIME : duration + WINDOW,
		MAX_TIME,
	);
	const hasChannels = ranges.some(({ hasChannel }) => hasChannel);
	let previous = 0;
	return ranges.some(({ start = 0, end = start }) => {
		const isBackwards = !hasChannels && start < previous - MAX_OVERLAP;
		previous = start;
		return isBackwards || start < 0 || end < start || end > last;
	});
}

/** A copy of a list with changed entries; nothing if the record has no such list. */
function convertList(
	record: JsonRecord,
	name: string,
	convert: (entry: JsonRecord) => JsonRecord,
): JsonRecord {
	const list = getOwn(record, name);
	if (!Array.isArray(list)) return {};
	return { [name]: list.map((entry: unknown) => (isRecord(entry) ? convert(entry) : entry)) };
}

function toSeconds<Entry extends object>(
	entry: Entry,
	{ inNanoseconds }: Pick<ListTimes, 'inNanoseconds'>,
): Entry {
	if (!inNanoseconds) return entry;
	const times = Object.entries(entry).filter(
		([name, value]) => (name === 'start' || name === 'end') && toTime(value) !== undefined,
	);
	const seconds = times.map(([name, value]) => [name, toTime(value)! / NANOSECONDS]);
	return { ...entry, ...Object.fromEntries(seconds) };
}

const CLOCK = String.raw`((?:\d{1,15}:)?\d{1,2}:\d{2}[.,]\d{1,3})`;

/** The line of a cue in SRT or VTT. */
const CUE_TIMES = new RegExp(`^\\s{0,9}${CLOCK}\\s{1,9}-->\\s{1,9}${CLOCK}`);

function parseCues(content: string): TimeRange[] {
	return content.split('\n').flatMap((line) => {
		const [, start, end] = CUE_TIMES.exec(line) ?? [];
		if (start === undefined || end === undefined) return [];
		return [{ start: parseClock(start), end: parseClock(end), hasChannel: false }];
	});
}

function parseClock(clock: string) {
	return clock
		.replace(',', '.')
		.split(':')
		.reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
