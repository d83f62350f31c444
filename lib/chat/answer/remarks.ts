/** Notes for the user about a usable answer, and values that its server left out. */
import { isIdentified, type KindName, kindOf, labelsOf } from '../../servers/kinds';
import type { Assembly } from './assembly';
import { NATURAL_END, NO_FINISH_REASON } from './finish-reason';
import { textOf } from '../request/content';
import { wantsJson } from '../request/parameters';
import { estimateTokens } from '../../servers/manage/tokens';
import type { AnswerContent, ChatMessage, ChatRequest, UnrunReason, Usage } from '../types';
import { parseJson } from '../../json';

/** Adds estimated token counts to the answers of minimal servers. */
export function completed(answer: AnswerContent, messages: readonly ChatMessage[]): AnswerContent {
	const isMinimal = answer.finishReason === NO_FINISH_REASON && answer.usage === undefined;
	return isMinimal ? { ...answer, usage: estimatedUsage(answer, messages) } : answer;
}

function estimatedUsage(
	{ text, reasoning }: AnswerContent,
	messages: readonly ChatMessage[],
): Usage {
	const promptTokens = messages.reduce(
		(sum, message) => sum + estimateTokens(textOf(message.content)),
		0,
	);
	const completionTokens = estimateTokens(text + reasoning);
	return {
		promptTokens,
		completionTokens,
		totalTokens: promptTokens + completionTokens,
		estimated: true,
	};
}

/** The note for a missing call, although one was required: some servers ignore tools. */
export function notesOnForcedCall(
	{ toolChoice, serverKind }: ChatRequest,
	{ toolCalls }: Pick<AnswerContent, 'toolCalls'>,
): string[] {
	const isForced = toolChoice === 'required' || typeof toolChoice === 'object';
	if (!isForced || toolCalls.length > 0 || kindOf(serverKind).chat.toolChoice === 'ignored')
		return [];
	return [
		'A tool had to be called, but the answer has no call: this server seems to ignore tools. Use a server and a model with tool calling.',
	];
}

/**
 * The note for an answer that is not JSON although JSON was requested: some servers silently ignore the format
 * (transformers serve, Xinference).
 */
export function noteOnFormat(
	{ parameters }: ChatRequest,
	{ text, toolCalls, finishReason }: Pick<AnswerContent, 'text' | 'toolCalls' | 'finishReason'>,
): string | undefined {
	const isDone = toolCalls.length === 0 && finishReason !== 'length';
	if (!wantsJson(parameters) || !isDone || parseJson(text) !== undefined) return undefined;
	return `The answer is not JSON, although *Response Format* asks for it: this server seems to ignore it. Say in the prompt what the answer should look like, or use a server that keeps to a schema (${labelsOf(({ chat }) => chat.schema?.isEnforced)}).`;
}

/** A token is seldom longer than so many times its estimate, and some servers count a little differently. */
const SURELY_LONGER = { estimated: 4, counted: 2 };

/**
 * The notes for limits of an answer that it does not keep: a stop sequence with text behind it, and many more tokens
 * than were asked for. Minimal servers read neither field, or know it by another name.
 */
export function notesOnIgnoredLimits(
	{ parameters: { stop = [], maxTokens = 0 } }: Pick<ChatRequest, 'parameters'>,
	{
		text,
		reasoning,
		usage,
		finishReason,
	}: Pick<AnswerContent, 'text' | 'reasoning' | 'usage' | 'finishReason'>,
): string[] {
	const passed = stop.find((end) => end !== '' && isPassed(text, end));
	const isCounted = usage !== undefined && usage.estimated !== true;
	const tokens = isCounted
		? usage.completionTokens / SURELY_LONGER.counted
		: estimateTokens(text + reasoning) / SURELY_LONGER.estimated;
	const isLonger = maxTokens > 0 && tokens > maxTokens && finishReason !== 'length';
	return [
		...(passed === undefined
			? []
			: [
					`The answer goes on behind the stop sequence ${JSON.stringify(passed)}: this server seems to ignore *Stop Sequences*.`,
				]),
		...(isLonger
			? [
					`The answer is much longer than *Maximum Tokens* (${maxTokens}): this server seems to ignore it. If it knows the limit by another name, such as max_completion_tokens, set that in *Extra Body*.`,
				]
			: []),
	];
}

/**
 * The note for an answer of an unknown server with exactly as many tokens as it may have, of which the server says that
 * the model ended it: some say so always (aichat), or in streams (LLaMA-Factory, lm-proxy).
 *
 * @param pieces how many pieces of a stream held text, which count where the server does not count tokens
 */
export function noteOnReachedLimit(
	{ parameters: { maxTokens }, serverKind }: Pick<ChatRequest, 'parameters' | 'serverKind'>,
	{ usage, finishReason }: Pick<AnswerContent, 'usage' | 'finishReason'>,
	pieces?: number,
): string | undefined {
	const isCounted = usage !== undefined && usage.estimated !== true;
	const tokens = isCounted ? usage.completionTokens : pieces;
	const isReached = tokens !== undefined && tokens === maxTokens;
	if (isIdentified(serverKind) || !isReached || !NATURAL_END.test(finishReason)) return undefined;
	const measured = isCounted ? 'has just as many tokens' : 'came in just as many pieces';
	return `The answer ${measured} as *Maximum Tokens* allows (${maxTokens}), so it may have been cut off, although the server says that the model had finished.`;
}

/**
 * Whether an answer goes on behind a stop sequence. Some servers hand on the sequence itself, and some end at one that is
 * not the first (ms-swift).
 */
function isPassed(answer: string, stop: string): boolean {
	const at = answer.lastIndexOf(stop);
	return at !== -1 && answer.slice(at + stop.length).trim() !== '';
}

/** The note for thinking although it was switched off: gateways and some servers drop the setting without a word. */
export function noteOnThinking(
	{ parameters }: ChatRequest,
	{ reasoning }: Pick<AnswerContent, 'reasoning'>,
): string | undefined {
	const isOff = parameters.thinking?.mode === 'off';
	if (!isOff || reasoning.trim() === '') return undefined;
	return 'The model thought although *Thinking* is off: the server, a gateway in front of it or the model ignores the setting.';
}

/** The note for a grammar on an unknown server: most drop the field without a word. */
export function noteOnGrammar({ parameters, serverKind }: ChatRequest): string | undefined {
	if (parameters.responseFormat?.type !== 'grammar' || isIdentified(serverKind)) return undefined;
	return `Whether this server keeps to a GBNF grammar is not known, so check the answer. These do: ${labelsOf(({ chat }) => chat.grammar?.isEnforced)}.`;
}

/** Why a possible call stays text. */
const NOT_RUN: Record<UnrunReason, string> = {
	quoted: 'it is quoted, in code or behind other text',
	followed: 'text follows it',
	foreign: 'this model is not known to use that format',
	incomplete: 'it is incomplete',
	unknownTool: 'no such tool is connected',
	unfit: 'its arguments do not fit',
	inInput: 'the same text stands in the input',
	inThinking: 'it stands in the thinking',
	hasOthers: 'the server already returned a call',
};

/** The note for calls that were read from the text, or possible ones that were not run, with advice for the server. */
export function noteOnCallsInText(
	{ formatInText, unrunCall }: Pick<Assembly, 'formatInText' | 'unrunCall'>,
	serverKind: KindName,
): string | undefined {
	const family = formatInText ?? unrunCall?.family;
	if (family === undefined) return undefined;
	const advice = kindOf(serverKind).words.parseTools(family.parsers ?? {});
	if (unrunCall === undefined)
		return `The server handed on a tool call as text, because it lacks the parser or the chat template for this model. The node read the call from the text. ${advice}`;
	const { name, because } = unrunCall;
	return `The answer contains what looks like a call of ${name} in the ${family.label} format. It was not run, because ${NOT_RUN[because]}. ${advice}`;
}
