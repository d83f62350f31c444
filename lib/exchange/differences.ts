/**
 * What a person asked for, and what came: each field whose value the result shows is compared here, and nowhere else. A
 * difference is data, worded at its end; a node shows it once a run. Pure.
 *
 * | Asked | Compared with |
 * |---|---|
 * | Thinking (on, off, token budget) | the thinking of the response |
 * | Maximum Tokens of a chat or completion | the tokens that the server counted |
 * | Response Format, Timestamps, Language of a transcript | subtitles, times, the language that the server names |
 * | File Format of speech and images | the bytes |
 * | Number of Images, Size | the images, their headers |
 * | Dimensions | the first vector |
 *
 * No result shows a voice, a speed, instructions, a prompt, a temperature or a seed; the format of a response, tools and
 * documents are checked where they are used, and another model than the selected one is a warning of its own.
 */
import type { ServerTexts } from '../errors/chapters/server-texts';
import type { JsonRecord } from '../values/records';
import { asArray, asRecords, asString, isNonEmpty } from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import { estimateTokens } from '../values/tokens';
import { isOtherLanguage } from './languages';
import { getOwn } from '../values/own-properties';

/** A value that was requested, and the one that came. */
interface Change<Value> {
	requested: Value;
	received: Value;
}

/** What is known of each kind of difference. */
interface DifferenceFacts {
	/** Thinking is off, and the model thought. */
	thinkingOff: object;
	/** Thinking is on, and the response has none. */
	thinkingOn: object;
	/** The thinking is longer than its budget, in tokens. */
	thinkingBudget: { requested: number };
	/** The response has more tokens than it may have. */
	maxTokens: { requested: number };
	/** A text came without the requested segments. */
	segments: object;
	/** A text came instead of subtitles. */
	subtitles: object;
	/** Lists without times, and those with times. */
	times: { missing: TimedList[]; received: TimedList[] };
	/** Language of a transcript. */
	language: Change<string>;
	/** Format of a file, as an extension. */
	format: Change<string>;
	/** Number of images. */
	count: Change<number>;
	/** Width x height in pixels. */
	size: Change<string>;
	/** Dimensions of vectors. */
	dimensions: Change<number>;
}

/** A difference between what was requested and what came. */
export type Difference = {
	[Kind in keyof DifferenceFacts]: { kind: Kind } & DifferenceFacts[Kind];
}[keyof DifferenceFacts];

/** What a chat was asked for. */
export interface RequestedChat {
	/** Undefined: as the server likes. A number: the budget in tokens. */
	thinking?: 'on' | 'off' | number;
	/** Undefined: no limit. */
	maxTokens?: number;
}

/** The response of a chat or a completion. */
export interface ReceivedChat {
	/** Its thinking; empty if it has none. */
	reasoning: string;
	/** As the server counted them; undefined if it did not. */
	reasoningTokens?: number;
	completionTokens?: number;
	/** Whether tools are called: between calls, models often think of nothing. */
	hasCalls: boolean;
}

/** A transcript, with what its request was for. */
export interface ReceivedTranscript {
	/** Fields of the server, with its names. */
	extraFields: JsonRecord;
	/** The subtitles, if any came. */
	subtitles?: {
		/** Of the file that came. */
		format: string;
	};
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

/** The request and the result of each operation. */
interface Operations {
	chat: { requested: RequestedChat; result: ReceivedChat };
	complete: { requested: RequestedChat; result: ReceivedChat };
	transcribe: { requested: JsonRecord; result: ReceivedTranscript };
	speak: { requested: JsonRecord; result: ReceivedSpeech };
	images: { requested: JsonRecord; result: ReceivedImages };
	embed: { requested: JsonRecord; result: ReceivedVectors };
}

export type ComparedOperation = keyof Operations;

type Comparison<Operation extends ComparedOperation> = (
	requested: Operations[Operation]['requested'],
	result: Operations[Operation]['result'],
) => Difference[];

/** One row for each field of an operation whose value its result shows. */
const COMPARISONS: {
	readonly [Operation in ComparedOperation]: ReadonlyArray<Comparison<Operation>>;
} = {
	chat: [compareThinking, compareMaxTokens],
	complete: [compareMaxTokens],
	transcribe: [compareTranscriptFormat, compareTimes, compareLanguage],
	speak: [compareAudioFormat],
	images: [compareCount, compareSizes, compareImageFormats],
	embed: [compareDimensions],
};

/** Compares a result with what was requested and sent. */
export function findDifferences<Operation extends ComparedOperation>(
	operation: Operation,
	{ requested, result }: Operations[Operation],
): Difference[] {
	return COMPARISONS[operation].flatMap((compare) => compare(requested, result));
}

/** A request of a task, and what was sent of it. */
export interface TaskFields {
	/** Fields of the request, with those of Extra Body. */
	requestedFields: JsonRecord;
	/** The body as sent. A field that is missing there was omitted, which has its own warning. */
	sentBody: JsonRecord;
}

/** The requested fields that were sent. */
export function toSentFields({ requestedFields, sentBody }: TaskFields): JsonRecord {
	return Object.fromEntries(
		Object.entries(requestedFields).filter(
			([field, value]) => isNonEmpty(value) && getOwn(sentBody, field) !== undefined,
		),
	);
}

const WORDS: {
	readonly [Kind in keyof DifferenceFacts]: (
		facts: DifferenceFacts[Kind],
		texts: Pick<ServerTexts, 'thinkingOff'> | undefined,
	) => string;
} = {
	thinkingOff: (_facts, texts) =>
		`The model thought, although thinking is off: its chat template or the server does not follow that setting. ${texts === undefined ? '' : `${texts.thinkingOff} `}For gpt-oss, set a low Thinking Effort.`,
	thinkingOn: () =>
		'Thinking is On, but the response contains no thinking: the model or the server does not support it, or the model saw no need for it.',
	// Without the count, which differs for each item: a run has one hint.
	thinkingBudget: ({ requested }) =>
		`The thinking is longer than Thinking Token Budget (${requested} tokens): the server does not follow it for this model.`,
	maxTokens: ({ requested }) =>
		`The response is longer than Maximum Tokens (${requested}): the server does not follow this limit.`,
	segments: () => 'The server returned only the text, without segments.',
	subtitles: () =>
		'The server returned text instead of subtitles: it does not support this format.',
	times: ({ missing, received }) =>
		received.length === 0
			? `The server returned only the text, without times for: ${missing.join(', ')}.`
			: `The server returned no times for ${toLabels(missing)}, only for ${toLabels(received)}.`,
	language: ({ requested, received }) =>
		`The server transcribed the language "${received}" instead of the requested "${requested}".`,
	format: ({ requested, received }) =>
		`The server returned ${received} instead of the requested ${requested}. The file name shows the actual format.`,
	count: ({ requested, received }) =>
		received < requested
			? `The server returned ${received} of ${requested} requested images.`
			: `The server returned ${received} images instead of ${requested}.`,
	size: ({ requested, received }) =>
		`The server returned an image of ${received} pixels instead of ${requested}.`,
	dimensions: ({ requested, received }) =>
		received > requested
			? `The server returned ${received} dimensions instead of ${requested}, so the node shortened and normalized the vectors. They are only useful if the model was trained for it (Matryoshka).`
			: `The server returned ${received} dimensions instead of ${requested}: the model has no more. Set "Dimensions" to ${received}, and the same in the vector store.`,
};

/**
 * The sentence about a difference.
 *
 * @param texts of the server type, if it is known
 */
export function describeDifference(
	difference: Difference,
	texts?: Pick<ServerTexts, 'thinkingOff'>,
): string {
	const describe = WORDS[difference.kind] as (
		facts: Difference,
		known: Pick<ServerTexts, 'thinkingOff'> | undefined,
	) => string;
	return describe(difference, texts);
}

/** Tokens by which a server may exceed a budget: it ends the thinking with a sentence. */
const BUDGET_MARGIN = 64;

/** A budget counts tokens of the model, which an estimate misses by less than this. */
const ESTIMATE_FACTOR = 2;

function compareThinking(
	{ thinking }: RequestedChat,
	{ reasoning, reasoningTokens, hasCalls }: ReceivedChat,
): Difference[] {
	const thinks = reasoning.trim() !== '';
	if (thinking === 'off') return thinks ? [{ kind: 'thinkingOff' }] : [];
	if (thinking === 'on')
		return thinks || hasCalls || (reasoningTokens ?? 0) > 0 ? [] : [{ kind: 'thinkingOn' }];
	if (thinking === undefined) return [];
	const tokens = reasoningTokens ?? estimateTokens(reasoning) / ESTIMATE_FACTOR;
	return tokens > thinking + BUDGET_MARGIN ? [{ kind: 'thinkingBudget', requested: thinking }] : [];
}

/** Tokens by which a server may miss a limit, such as those that end a response. */
const LIMIT_MARGIN = 16;

function compareMaxTokens(
	{ maxTokens }: RequestedChat,
	{ completionTokens = 0 }: ReceivedChat,
): Difference[] {
	return maxTokens !== undefined && completionTokens > maxTokens + LIMIT_MARGIN
		? [{ kind: 'maxTokens', requested: maxTokens }]
		: [];
}

function compareTranscriptFormat(
	{ response_format: format, 'timestamp_granularities[]': granularities }: JsonRecord,
	{ extraFields, subtitles }: ReceivedTranscript,
): Difference[] {
	if (format === 'verbose_json')
		return hasLists(extraFields) || asArray(granularities).length > 0 ? [] : [{ kind: 'segments' }];
	if (format !== 'srt' && format !== 'vtt') return [];
	if (subtitles === undefined) return [{ kind: 'subtitles' }];
	const { format: received } = subtitles;
	return received === format ? [] : [{ kind: 'format', requested: format, received }];
}

function hasLists({ segments, words }: JsonRecord) {
	return asRecords(segments).length > 0 || asRecords(words).length > 0;
}

/** Names of the lists with times, by the value that requests them. */
const LIST_LABELS = { segment: 'segments', word: 'words' } as const;

type TimedList = keyof typeof LIST_LABELS;

function toLabels(names: readonly TimedList[]): string {
	return names.map((name) => LIST_LABELS[name]).join(' and ');
}

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

function compareTimes(
	{ 'timestamp_granularities[]': granularities }: JsonRecord,
	{ extraFields }: ReceivedTranscript,
): Difference[] {
	const received = getTimedLists(extraFields);
	const missing = asArray(granularities)
		.filter((name): name is TimedList => name === 'word' || name === 'segment')
		.filter((name) => !received.includes(name));
	return missing.length === 0 ? [] : [{ kind: 'times', missing, received }];
}

function compareLanguage(
	{ language }: JsonRecord,
	{ extraFields, isTranslated }: ReceivedTranscript,
): Difference[] {
	const requested = asString(language) ?? '';
	const received = asString(extraFields.language) ?? '';
	return isTranslated || !isOtherLanguage({ requested, received })
		? []
		: [{ kind: 'language', requested, received }];
}

/** Ogg contains Opus. */
const CONTAINERS: Readonly<Record<string, string>> = { ogg: 'opus' };

function compareAudioFormat(
	{ response_format: format }: JsonRecord,
	{ extension: received }: ReceivedSpeech,
): Difference[] {
	return format === undefined || received === format || getOwn(CONTAINERS, received) === format
		? []
		: [{ kind: 'format', requested: String(format), received }];
}

function compareCount({ n }: JsonRecord, { images }: ReceivedImages): Difference[] {
	const requested = asFiniteNumber(n);
	const received = images.length;
	return requested === undefined || received === requested
		? []
		: [{ kind: 'count', requested, received }];
}

/** One for each size that was not requested. */
function compareSizes({ size }: JsonRecord, { images }: ReceivedImages): Difference[] {
	const requested = asString(size) ?? '';
	if (!/^\d+x\d+$/.test(requested)) return [];
	const sizes = images.flatMap(({ width, height }) =>
		width === undefined || height === undefined ? [] : [`${width}x${height}`],
	);
	return [...new Set(sizes)]
		.filter((received) => received !== requested)
		.map((received) => ({ kind: 'size', requested, received }));
}

/** One for each format that was not requested. */
function compareImageFormats(
	{ output_format: requested }: JsonRecord,
	{ images }: ReceivedImages,
): Difference[] {
	if (requested === undefined) return [];
	const format = requested === 'jpeg' ? 'jpg' : requested;
	return [...new Set(images.map(({ extension }) => extension))]
		.filter((received) => received !== format)
		.map((received) => ({ kind: 'format', requested: String(requested), received }));
}

function compareDimensions(
	{ dimensions }: JsonRecord,
	{ dimensions: received }: ReceivedVectors,
): Difference[] {
	const requested = asFiniteNumber(dimensions);
	return requested === undefined || received === undefined || received === requested
		? []
		: [{ kind: 'dimensions', requested, received }];
}
