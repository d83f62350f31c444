/** Segments of a transcript, and their times, in the forms of several servers. Pure. */
import type { JsonRecord } from '../values/records';
import { asArray, asRecord, asRecords, asString } from '../values/records';
import { parseNumber } from '../values/numbers';

/** Times of a segment, in seconds. */
export interface SegmentTimes {
	start: number;
	end: number;
}

/**
 * The times of a segment. Numbers count as seconds only under names that servers use for seconds.
 *
 * @returns undefined unless both are there
 */
export function getSegmentTimes(segment: JsonRecord): SegmentTimes | undefined {
	const { start, end, start_time, end_time, timestamp, timestamps } = segment;
	const pair = asArray(timestamp);
	const clocks = asRecord(timestamps);
	const pairs = [
		[start, end],
		// Parakeet
		[start_time, end_time],
		// transformers
		pair.length === 2 ? pair : [],
		// whisper.cpp, written to a file
		[clocks.from, clocks.to],
	];
	for (const times of pairs) {
		const [from, to] = times.map(parseTime);
		if (from !== undefined && to !== undefined) return { start: from, end: to };
	}
	return undefined;
}

/** `1.5`, or a clock: `00:00:01,500` */
function parseTime(value: unknown): number | undefined {
	const clock = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{2}(?:[.,]\d{1,6})?)$/.exec(asString(value) ?? '');
	if (!clock) return parseNumber(value);
	const [, hours = '0', minutes = '0', seconds = '0'] = clock;
	return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds.replace(',', '.'));
}

/** Names of lists of segments that are not called that: transformers, AssemblyAI. */
const LIST_NAMES = ['chunks', 'utterances'] as const;

/** The response with a list of segments, if it has one under another name. Nothing of it is dropped. */
export function withSegments(response: JsonRecord): JsonRecord {
	if (Array.isArray(response.segments)) return response;
	const segments = LIST_NAMES.map((name) => toSegments(response[name])).find(
		(list) => list.length > 0,
	);
	return segments === undefined ? response : { ...response, segments };
}

/** Empty unless each entry has a text, and the first one has times: without them, the entries may be anything. */
function toSegments(list: unknown): JsonRecord[] {
	const entries = asRecords(list);
	const hasTexts = entries.every(({ text }) => typeof text === 'string');
	const isComplete = entries.length === asArray(list).length && hasTexts;
	if (!isComplete || entries[0] === undefined || !getSegmentTimes(entries[0])) return [];
	return entries.map((entry) => {
		const { timestamp, ...fields } = entry;
		return { ...(timestamp === undefined ? entry : fields), ...getSegmentTimes(entry) };
	});
}
