/**
 * Recognizes what an error message is about by the words that it combines, so that an unrecorded sentence is
 * understood as well. `test/lib/errors/messages.tsv` has messages for each signal, and its counter-examples.
 */
import type { ErrorType } from './error-types';

interface Signal {
	type: ErrorType;
	/** All of them must match. */
	all: readonly RegExp[];
	/** None of them may match. */
	none?: readonly RegExp[];
}

const FAILURE =
	/\b(?:fail(?:ed|s|ure)?|errors?|cannot|can't|could not|couldn't|unable|invalid|illegal|malformed|unknown|corrupt(?:ed)?|does not match)\b/i;
const UNSUPPORTED =
	/\b(?:not|n't|no|without)\b.{0,20}\b(?:support(?:s|ed)?|accept(?:s|ed)?|allow(?:s|ed)?|enabled|implemented|multimodal|vision|capab\w+)\b|\bun(?:supported|implemented|recognized)\b/i;
const MEDIA = /\b(?:images?|audios?|videos?|vision|multimodal)\b/i;
/** Where tokens of a prompt are not what is counted. */
const OTHER_UNITS =
	/\b(?:images?|audios?|videos?|seconds|pixels?|batch(?:es)?|per request|array|string|digits|characters|days)\b/i;
/** The message is about one field, whatever else its sentence mentions. */
const FIELD =
	/\b(?:body|query)\.\w|\b(?:field|option|parameter|argument) ["'`]|\b[a-z]\w*['"`]? must be (?:a|an|at (?:least|most)|between|one of|in|non-?negative|positive|greater|less|of type)\b|^(?:dimensions|n|top_k|stop)\b/i;

const SUBJECT_OF_CONTEXT = /\b(?:\w*tokens?|context|prompt|length|inputs?|n_ctx)\b/i;
const EXCESS =
	/\b(?:exceed(?:s|ed|ing)?|longer|too (?:long|large|big)|larger|greater|maximum|max|only|over the limit|overflow(?:s|ed)?|less than)\b|<=|>/i;
const CONTEXT = /\b(?:context|n_ctx|max_seq_len|max_model_len)\b/i;
const CONTEXT_SIZE = /\bcontext (?:length|size|window)\b/i;
const TWO_NUMBERS = /\d[^\d.,]\D{0,4000}\d|\d[.,]\D{1,4000}\d/;
const RATE =
	/\bper (?:second|minute|min|hour|day)\b|\b[TR]PM\b|\brate.?limit|\btoo many (?:concurrent |parallel |pending )?requests\b|\b(?:parallel|concurrent) requests?\b|\bconcurrency limit\b|\bat capacity\b|\boverloaded\b|\bqueue is full\b/i;

/** In this order; the first one whose words are there counts. */
const SIGNALS: readonly Signal[] = [
	// What was sent, not what the model generated
	{
		type: 'invalidToolCallInHistory',
		all: [/\bpars(?:e|ing)\b/i, /\barguments\b/i, /\b(?:tool|function)/i],
		none: [/\braw=/i],
	},
	{
		type: 'tooManyFiles',
		all: [
			/\b(?:at most|more than|too many|only|number of)(?: send| accepts?)? (?:\d+ )?(?:images?|audios?|videos?)\b/i,
			/\d/,
		],
	},
	{
		type: 'fileUnreadable',
		all: [
			FAILURE,
			/\b(?:decod|load|open|read|download|fetch|identif|format|input)/i,
			/\b(?:images?|audios?|videos?)\b/i,
		],
		none: [UNSUPPORTED, /\bmodel\b/i],
	},
	{ type: 'modalityUnsupported', all: [MEDIA, UNSUPPORTED], none: [/\bformats?\b/i] },
	{
		type: 'keyBudgetExceeded',
		all: [
			/\b\w*(?:budget|quota|credits?|balance)\b/i,
			/\b(?:exceed(?:s|ed)?|over|used up|insufficient|not enough|exhausted|reached|run out)\b/i,
		],
	},
	{ type: 'busy', all: [RATE] },
	// vLLM: what is left for the response is negative
	{ type: 'promptTooLong', all: [/\bmax_tokens must be at least 1, got -\d/i] },
	{
		type: 'promptTooLong',
		all: [SUBJECT_OF_CONTEXT, EXCESS, TWO_NUMBERS],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'promptTooLong',
		all: [SUBJECT_OF_CONTEXT, EXCESS, CONTEXT, /\d|\bcontext (?:length|size|window)\b/i],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'promptTooLong',
		all: [CONTEXT_SIZE, /\btokens?\b/i, TWO_NUMBERS],
		none: [OTHER_UNITS, FIELD],
	},
	{
		type: 'modelCrashed',
		all: [
			/\b(?:out of memory|OOM|insufficient (?:\w+ )?memory|(?:failed|unable) to allocate|not have enough (?:available )?memory)\b|\b(?:runner|engine\w*|process|worker|model)(?: process)?(?: \w+){0,2} (?:terminated|crashed|stopped|died|exited|killed|dead|encountered an (?:issue|error))(?![-\w])|\b\/\w+": EOF$/i,
		],
	},
	{
		type: 'outputParseFailed',
		all: [
			FAILURE,
			/\bpars(?:e|ing)\b|\bdoes not match\b|\binvalid diff\b/i,
			/\b(?:tool calls?|function call|output|response|at pos \d+)\b/i,
		],
		none: [/\b(?:messages|tools):/i],
	},
	{
		type: 'grammarRejected',
		all: [
			/\b(?:grammar|gbnf|json schema|json_schema|xgrammar|samplers|structured outputs?)\b/i,
			/\b(?:fail(?:ed|s)?|errors?|invalid|cannot|could not|conversion)\b/i,
		],
	},
	{ type: 'grammarRejected', all: [/\b(?:grammar|schema|xgrammar)\b/i, UNSUPPORTED] },
	{
		type: 'modelNotLoaded',
		all: [
			/\bmodels?\b.{0,200}\b(?:unloaded|not (?:been |currently )?loaded)\b|\bno models? (?:is |are )?(?:currently )?loaded\b/i,
		],
	},
	{
		// Only if no connection was made: such a request is sent again.
		type: 'modelUnreachable',
		all: [
			/\bdial tcp\b|\bconnection refused\b|\bECONNREFUSED\b|\bcould not establish connection\b|\bcannot connect to host\b/i,
		],
		// The server's own download of a model
		none: [/\b(?:pull|manifest|registry|download)\b/i],
	},
];

/** The error type that a message means; undefined if its words do not tell. */
export function findSignal(message: string): ErrorType | undefined {
	const matches = (pattern: RegExp) => pattern.test(message);
	return SIGNALS.find(({ all, none = [] }) => all.every(matches) && !none.some(matches))?.type;
}

/** Shortest stretch of the request that is removed where a message repeats it. */
const MIN_ECHO_LENGTH = 24;
/** Every stretch of that length contains a whole sample of the message of this length. */
const SAMPLE_LENGTH = MIN_ECHO_LENGTH / 2;
/** Characters of the request that are searched. */
const MAX_SEARCHED_TEXT = 200_000;

/**
 * A message without the stretches of the request that it repeats, as FastAPI and LiteLLM do: the words of a visitor are
 * not those of the server.
 */
export function removeEchoes(message: string, requestTexts: readonly string[]): string {
	let rest = message;
	let searched = 0;
	for (const text of requestTexts) {
		if (searched >= MAX_SEARCHED_TEXT) break;
		const part = text.slice(0, MAX_SEARCHED_TEXT - searched);
		searched += part.length;
		if (part.length >= MIN_ECHO_LENGTH) rest = removeEchoesOf(part, rest);
	}
	return rest;
}

function removeEchoesOf(text: string, message: string): string {
	const kept: string[] = [];
	let keptUntil = 0;
	let at = 0;
	while (at + SAMPLE_LENGTH <= message.length) {
		const found = text.indexOf(message.slice(at, at + SAMPLE_LENGTH));
		const [from, to] = found < 0 ? [at, at] : extend(message, at, text, found);
		if (to - from >= MIN_ECHO_LENGTH) {
			kept.push(message.slice(keptUntil, Math.max(from, keptUntil)));
			keptUntil = to;
			at = to;
		} else at += SAMPLE_LENGTH;
	}
	return kept.join('') + message.slice(keptUntil);
}

/** The stretch around a common sample that both texts have. */
function extend(message: string, at: number, text: string, found: number): [number, number] {
	let before = 0;
	while (at > before && found > before && message[at - before - 1] === text[found - before - 1])
		before += 1;
	let length = SAMPLE_LENGTH;
	while (at + length < message.length && message[at + length] === text[found + length]) length += 1;
	return [at - before, at + length];
}

/** Words beside a number that say what it counts. The nearest ones before it count, unless those after it are clear. */
const PROMPT_AFTER = /^[)`'" ]*(?:tokens? )?(?:in the messages|input|prompt)\b/i;
const OUTPUT_AFTER =
	/^[)`'" ]*(?:tokens? )?(?:in the completion|for the completion|output|completion)\b/i;
const LIMIT_AFTER = /^[)`'" ]*(?:tokens? )?(?:max|limit|context)/i;
const LABELS =
	/(?<other>by|at least|outputs?|completion|max_(?:new_|completion_)?tokens|got)|(?<limit>context|n_ctx|max\w*|limit|only|than|available|window|size|<=|>)|(?<prompt>prompt|inputs?|keep|passed|request\w*|messages?|contains|given)/gi;

/** The tokens of the prompt and of the context in a message about them. Numbers that nothing explains are left out. */
export function findTokenCounts(message: string): {
	promptTokens?: number;
	contextTokens?: number;
} {
	const counts: { promptTokens?: number; contextTokens?: number } = {};
	for (const match of message.matchAll(/(?<![\w.-])\d[\d,]*(?![\w.]*\w)/g)) {
		const value = Number(match[0].replaceAll(',', ''));
		const label = findLabel(
			message.slice(Math.max(0, match.index - 45), match.index),
			message.slice(match.index + match[0].length, match.index + match[0].length + 30),
		);
		if (label === 'prompt') counts.promptTokens ??= value;
		if (label === 'limit') counts.contextTokens ??= value;
	}
	return counts;
}

function findLabel(before: string, after: string): string | undefined {
	if (PROMPT_AFTER.test(after)) return 'prompt';
	if (OUTPUT_AFTER.test(after)) return 'other';
	if (LIMIT_AFTER.test(after)) return 'limit';
	const sinceNumber = before.split(/\d/).at(-1) ?? '';
	const groups = [...sinceNumber.matchAll(LABELS)].at(-1)?.groups ?? {};
	return Object.keys(groups).find((name) => groups[name] !== undefined);
}
