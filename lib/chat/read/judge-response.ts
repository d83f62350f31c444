/** What a response means, by what arrived of it and what was sent: complete, or why it cannot be used. */
import { asRecord } from '../../values/records';
import { parseJson } from '../../values/json';
import type { TextAndReasoning } from '../../text/reasoning';
import type { RawToolCall } from '../../text/calls/types';
import type { CompletionFailure } from '../completion';
import { findEventFailure, findFinishFailure } from './parse-chunk';
import { MAX_TOOL_CALLS } from './tool-call-accumulator';

/** What was sent, as far as it decides what a response means. */
export interface SentRequest {
	/** For requests without a chat template: the text contains no thinking, and may be empty. Default: false. */
	isRaw?: boolean;
	/** Limit of the tokens of the response. Default: none. */
	maxTokens?: number;
	/** Whether the thinking was turned off. Default: false. */
	isThinkingOff?: boolean;
	/** Whether a text is nothing but JSON that fits the schema that was sent. Default: none was sent, so nothing fits. */
	fitsSchema?(text: string): boolean;
}

/** How a response ended, and what arrived beside its output. */
export interface ReceivedEnd {
	/** Why the server ended the response; undefined if it has not said so. */
	finishReason: string | undefined;
	/** Whether the token limit ended the response. */
	isTruncated: boolean;
	/**
	 * Whether it has ended without a reason: by the marker of the end, as one document, or as events none of which has the
	 * field for a reason.
	 */
	hasEnded: boolean;
	/** Whether the server said that it has ended: by a reason, by the marker of the end, or with one document. */
	isEndSaid: boolean;
	/** Whether all output came in the field for thinking. */
	hasOnlyReasoningField: boolean;
	/** Lines that are not events. */
	strayLines: readonly string[];
	/** The last data that is not JSON. */
	strayData: string | undefined;
	/** What arrived before the end and made it useless: an error, or an event that cannot be read. */
	failure: CompletionFailure | undefined;
	/** An error that arrived after the end. */
	lateFailure: CompletionFailure | undefined;
	/** Whether an event could not be read, before or after the end. */
	hasUnreadableEvent: boolean;
	/** Whether the token limit ended a repetition: of a text, or of JSON. */
	endsInRepetition(hasContent: boolean): boolean;
}

/** What arrived of a response until it ended. */
export interface ReceivedResponse extends TextAndReasoning, ReceivedEnd {
	/** All calls, those in the text included. */
	calls: readonly RawToolCall[];
	/** Whether there are more calls than one response may have. */
	hasTooManyCalls: boolean;
	/** Arguments of a call as JSON; undefined if they cannot be read. */
	normalize(args: string): string | undefined;
}

/** What a response means. */
export interface Verdict {
	/** Why it cannot be used; undefined for a complete response. */
	failure?: CompletionFailure;
	/** Whether its thinking is the answer, which the server filed in the wrong place. */
	hasAnswerInThinking: boolean;
}

/** Brackets and a quotation mark, before any name or value. */
export const BEGUN_JSON: RegExp = /^[[{][[{\s]*"?$/;

/** What a response means. */
export function judgeResponse(received: ReceivedResponse, sent: SentRequest): Verdict {
	const failure = findFailure(received, sent);
	const hasAnswerInThinking = failure?.errorType === 'onlyThinking' && isAnswer(received, sent);
	if (failure === undefined || hasAnswerInThinking) return { hasAnswerInThinking };
	// What the server said last explains why the response is of no use.
	const told = received.lateFailure ?? failure;
	const isReported = told.errorEvent !== undefined;
	return {
		failure: isReported ? { ...told, isAfterOutput: hasOutput(received) } : told,
		hasAnswerInThinking,
	};
}

function hasOutput({ text, reasoning, calls }: ReceivedResponse): boolean {
	return calls.length > 0 || (text + reasoning).trim() !== '';
}

/** Whether a finish reason says that the response is complete: it is no limit and no failure. */
export function isCompleteReason(finishReason: string | undefined): boolean {
	if (finishReason === undefined || finishReason === 'length') return false;
	return findFinishFailure(finishReason) === undefined;
}

/** Whether thinking without any text is the answer. */
function isAnswer(
	{ reasoning, finishReason, isTruncated, hasOnlyReasoningField }: ReceivedResponse,
	{ isThinkingOff = false, fitsSchema }: SentRequest,
): boolean {
	if (fitsSchema?.(reasoning) === true) return true;
	// The server does not know that the thinking is off.
	return isThinkingOff && hasOnlyReasoningField && finishReason === 'stop' && !isTruncated;
}

function findFailure(received: ReceivedResponse, sent: SentRequest): CompletionFailure | undefined {
	if (received.hasTooManyCalls) return toTooManyCalls(received);
	const failure =
		received.failure ?? findEndFailure(received, sent) ?? findRepetition(received, sent);
	// JSON that fits the schema is whole, however the stream ended.
	const isWhole = () => received.calls.length === 0 && sent.fitsSchema?.(received.text) === true;
	if (failure !== undefined && !isWhole()) return failure;
	return findToolCallFailure(received) ?? findEmptyFailure(received, sent);
}

function toTooManyCalls({ calls }: ReceivedResponse): CompletionFailure {
	const about = { tooManyCalls: MAX_TOOL_CALLS };
	return { errorType: 'invalidToolCall', about, tool: calls.at(-1)?.name };
}

function findEndFailure(
	received: ReceivedResponse,
	sent: SentRequest,
): CompletionFailure | undefined {
	const { finishReason, hasEnded, strayLines, strayData } = received;
	if (finishReason !== undefined) return findFinishFailure(finishReason);
	// After a line of another kind, the end of a stream may be that of the server.
	if (strayLines.length === 0 && hasEnded && hasContent(received, sent)) return undefined;
	const texts = strayData === undefined ? strayLines : [...strayLines, strayData];
	// The router of llama-server writes `proxy error: …`, llama-server `error: {…}`.
	const [reported] = texts.flatMap(
		(text) => findEventFailure(asRecord(parseJson(text.replace(/^error: */, '')))) ?? [],
	);
	return reported ?? { errorType: 'streamEndedEarly', serverText: texts.join('\n') || undefined };
}

/** A repetition that the token limit ended first. */
function findRepetition(
	received: ReceivedResponse,
	sent: SentRequest,
): CompletionFailure | undefined {
	const isRepetition =
		received.isTruncated && received.endsInRepetition(hasContent(received, sent));
	return isRepetition ? { errorType: 'runawayOutput' } : undefined;
}

/** A text without a chat template may be empty. */
function hasContent({ calls, text }: ReceivedResponse, { isRaw = false }: SentRequest): boolean {
	return isRaw || calls.length > 0 || text.trim() !== '';
}

/**
 * A single invalid call fails the response: no tool is executed. Where the token limit ended the response, arguments that
 * are empty did not arrive.
 */
function findToolCallFailure({
	calls,
	isTruncated,
	normalize,
}: ReceivedResponse): CompletionFailure | undefined {
	const invalidCall = calls.find(
		({ name, arguments: args }) =>
			name === '' || normalize(args) === undefined || (isTruncated && !args.trim().startsWith('{')),
	);
	if (!invalidCall) return undefined;
	const { name: tool } = invalidCall;
	return isTruncated
		? { errorType: 'toolCallTruncated', tool }
		: { errorType: 'invalidToolCall', tool, isCorrectable: true };
}

function findEmptyFailure(
	received: ReceivedResponse,
	sent: SentRequest,
): CompletionFailure | undefined {
	const { reasoning, isTruncated, strayData } = received;
	if (isBegunJson(received, sent)) {
		const facts = { finishReason: received.finishReason };
		return { errorType: 'emptyResponse', about: { hasOnlyBegun: true }, facts };
	}
	if (hasContent(received, sent)) return undefined;
	const errorType = reasoning.trim() ? 'onlyThinking' : 'emptyResponse';
	const finishReason = isTruncated ? 'length' : received.finishReason;
	return { errorType, serverText: strayData, facts: { finishReason } };
}

/** Whether a model that was not cut off wrote the beginning of JSON and nothing else. */
function isBegunJson(
	{ calls, text, isTruncated }: ReceivedResponse,
	{ isRaw = false }: SentRequest,
): boolean {
	return !isRaw && !isTruncated && calls.length === 0 && BEGUN_JSON.test(text.trim());
}
