/**
 * What was requested and what came: one row for each field whose value the result shows. A server that ignores a field is
 * reported once, by one warning. Pure.
 */
import type { JsonRecord } from '../values/records';
import { asArray, asRecords, asString, isNonEmpty } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { Transcript } from './transcript-hints';
import { getOwn } from '../values/own-properties';

/** A transcript, with what its request was for. */
export interface ReceivedTranscript extends Pick<Transcript, 'extraFields' | 'subtitles'> {
	/** The language of the response is then English. */
	isTranslated: boolean;
}

/** Received audio. */
export interface ReceivedSpeech {
	/** By its bytes, without the period. */
	extension: string;
}

/** Received images. */
export interface ReceivedImages {
	images: ReadonlyArray<{
		/** By its bytes, without the period. */
		extension: string;
		/** In pixels; undefined if they are not known. */
		width: number | undefined;
		height: number | undefined;
	}>;
}

/** Received vectors. */
export interface ReceivedVectors {
	/** Dimensions as the server sent them; undefined if it sent none. */
	dimensions: number | undefined;
}

/** The result of each operation. */
interface Results {
	transcribe: ReceivedTranscript;
	speak: ReceivedSpeech;
	images: ReceivedImages;
	embed: ReceivedVectors;
}

export type CheckedOperation = keyof Results;

interface ResultCheck<Result> {
	/** Field of the request. */
	field: string;
	/** Sentences about the difference; none if the result is as requested, or does not show it. */
	compare(requested: unknown, result: Result, requestedFields: JsonRecord): string[];
}

/** What was requested, and what a response names. */
interface ComparedLanguages {
	/** A code or a name; may be empty. */
	requested: string;
	received: string;
}

const RESULT_CHECKS: {
	[Operation in CheckedOperation]: ReadonlyArray<ResultCheck<Results[Operation]>>;
} = {
	transcribe: [
		{ field: 'response_format', compare: compareTranscriptFormat },
		{ field: 'timestamp_granularities[]', compare: compareTimes },
		{ field: 'language', compare: compareLanguage },
	],
	speak: [{ field: 'response_format', compare: compareAudioFormat }],
	images: [
		{ field: 'n', compare: compareCount },
		{ field: 'size', compare: compareSizes },
		{ field: 'output_format', compare: compareImageFormats },
	],
	embed: [{ field: 'dimensions', compare: compareDimensions }],
};

/** A request and its result. */
export interface ComparedResult<Operation extends CheckedOperation> {
	/** Fields of the request, with those of Extra Body. */
	requestedFields: JsonRecord;
	result: Results[Operation];
	/** The body as sent. A field that is missing there was omitted, which has its own warning. */
	sentBody: JsonRecord;
}

/**
 * Compares a result with what was requested.
 *
 * @returns warnings about what the server did not do; none if the result is as requested
 */
export function getDifferenceWarnings<Operation extends CheckedOperation>(
	operation: Operation,
	{ requestedFields, result, sentBody }: ComparedResult<Operation>,
): string[] {
	return RESULT_CHECKS[operation].flatMap(({ field, compare }) => {
		const requested = getOwn(requestedFields, field);
		const wasSent = getOwn(sentBody, field) !== undefined;
		return isNonEmpty(requested) && wasSent ? compare(requested, result, requestedFields) : [];
	});
}

function compareTranscriptFormat(
	format: unknown,
	{ extraFields, subtitles }: ReceivedTranscript,
	requestedFields: JsonRecord,
): string[] {
	if (format === 'verbose_json')
		return hasLists(extraFields) || hasGranularities(requestedFields)
			? []
			: ['The server returned only the text, without segments.'];
	if (format !== 'srt' && format !== 'vtt') return [];
	if (subtitles === undefined)
		return ['The server returned text instead of subtitles: it does not support this format.'];
	const { format: actual } = subtitles;
	return actual === format
		? []
		: [
				`The server returned ${actual} instead of the requested ${format}. The file name shows the actual format.`,
			];
}

function hasLists({ segments, words }: JsonRecord) {
	return asRecords(segments).length > 0 || asRecords(words).length > 0;
}

function hasGranularities(requestedFields: JsonRecord) {
	return asArray(requestedFields['timestamp_granularities[]']).length > 0;
}

/** Names of the lists with times, by the value that requests them. */
const LIST_LABELS = { segment: 'segments', word: 'words' } as const;

type TimedList = keyof typeof LIST_LABELS;

function getTimedLists({ segments, words }: JsonRecord): TimedList[] {
	const segmentRecords = asRecords(segments);
	const hasWords =
		asRecords(words).some(hasTimes) ||
		segmentRecords.some((segment) => asRecords(segment.words).some(hasTimes));
	return [
		...(segmentRecords.some(hasTimes) ? (['segment'] as const) : []),
		...(hasWords ? (['word'] as const) : []),
	];
}

/** Servers have several names for them. */
function hasTimes(entry: JsonRecord) {
	return Object.entries(entry).some(
		([name, value]) => /^(?:start|end|begin|from|time|offset|t0)/i.test(name) && isNonEmpty(value),
	);
}

function compareTimes(granularities: unknown, { extraFields }: ReceivedTranscript): string[] {
	const received = getTimedLists(extraFields);
	const requested = asArray(granularities).filter(
		(name): name is TimedList => name === 'word' || name === 'segment',
	);
	const missing = requested.filter((name) => !received.includes(name));
	if (missing.length === 0) return [];
	const toLabels = (names: readonly TimedList[]) =>
		names.map((name) => LIST_LABELS[name]).join(' and ');
	return [
		received.length === 0
			? `The server returned only the text, without times for: ${missing.join(', ')}.`
			: `The server returned no times for ${toLabels(missing)}, only for ${toLabels(received)}.`,
	];
}

function compareLanguage(
	language: unknown,
	{ extraFields, isTranslated }: ReceivedTranscript,
): string[] {
	const requested = asString(language) ?? '';
	const received = asString(extraFields.language) ?? '';
	return isTranslated || !isOtherLanguage({ requested, received })
		? []
		: [
				`The server transcribed the language "${received}" instead of the requested "${requested}".`,
			];
}

/** Ogg contains Opus. */
const CONTAINERS: Readonly<Record<string, string>> = { ogg: 'opus' };

function compareAudioFormat(format: unknown, { extension }: ReceivedSpeech): string[] {
	return extension === format || getOwn(CONTAINERS, extension) === format
		? []
		: [
				`The server returned ${extension} instead of the requested ${String(format)}. The file name shows the actual format.`,
			];
}

function compareCount(requested: unknown, { images }: ReceivedImages): string[] {
	const count = asFiniteNumber(requested);
	if (count === undefined || images.length === count) return [];
	return [
		images.length < count
			? `The server returned ${images.length} of ${count} requested images.`
			: `The server returned ${images.length} images instead of ${count}.`,
	];
}

/** One warning for each size that was not requested. */
function compareSizes(size: unknown, { images }: ReceivedImages): string[] {
	const sizes = images.flatMap(({ width, height }) =>
		width === undefined || height === undefined ? [] : [`${width}x${height}`],
	);
	const isSize = /^\d+x\d+$/.test(asString(size) ?? '');
	return [...new Set(isSize ? sizes : [])]
		.filter((actual) => actual !== size)
		.map(
			(actual) => `The server returned an image of ${actual} pixels instead of ${String(size)}.`,
		);
}

function compareImageFormats(requested: unknown, { images }: ReceivedImages): string[] {
	const format = requested === 'jpeg' ? 'jpg' : requested;
	const others = new Set(
		images.map(({ extension }) => extension).filter((name) => name !== format),
	);
	return [...others].map(
		(extension) =>
			`The server returned ${extension} instead of the requested ${String(requested)}. The file name shows the actual format.`,
	);
}

function compareDimensions(requested: unknown, { dimensions }: ReceivedVectors): string[] {
	const count = asFiniteNumber(requested);
	if (count === undefined || dimensions === undefined || dimensions <= count) return [];
	return [
		`The server returned ${dimensions} dimensions instead of ${count}, so the node shortened and normalized the vectors. They are only useful if the model was trained for it (Matryoshka).`,
	];
}

/** Languages as servers name them: codes, with a region or without, and English names. Pure. */

/** Whether both are known languages, and not the same. whisper.cpp is sent a code, and names the language in English. */
export function isOtherLanguage({ requested, received }: ComparedLanguages): boolean {
	const [requestedName, receivedName] = [requested, received].map(toLanguageName);
	if (requestedName === undefined || receivedName === undefined) return false;
	// "Norwegian Bokmål" is Norwegian.
	return !requestedName.startsWith(receivedName) && !receivedName.startsWith(requestedName);
}

/** In English; undefined for what is not a known language, such as `auto`. */
function toLanguageName(name: string): string | undefined {
	const key = name.trim().toLowerCase();
	const code = /^([a-z]{2})(?:[-_][a-z0-9_-]{1,20})?$/.exec(key)?.[1] ?? key;
	const names = getNamesByCode();
	return names.get(code) ?? [...names.values()].find((known) => known === key);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

let namesByCode: Map<string, string> | undefined;

/** Names of all languages with a code of two letters; looked up once. */
function getNamesByCode() {
	if (namesByCode) return namesByCode;
	const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
	namesByCode = new Map();
	for (const first of LETTERS)
		for (const second of LETTERS) {
			const name = names.of(first + second);
			if (name !== undefined) namesByCode.set(first + second, name.toLowerCase());
		}
	return namesByCode;
}
