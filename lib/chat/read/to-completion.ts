/** What an ended response consists of: its text, its calls, and what it means. */
import { withoutEndMarks } from '../../text/end-marks';
import type { TextAndReasoning } from '../../text/reasoning';
import type { TextCallDecision } from '../../text/calls/decide-text-calls';
import { decideTextCalls } from '../../text/calls/decide-text-calls';
import type { QuotationCheck } from '../../text/calls/quotations';
import { withoutStrayEnds } from '../../text/calls/stray-ends';
import type { RawToolCall } from '../../text/calls/types';
import { findIgnoredCall } from '../../text/calls/unread-calls';
import type { Completion } from '../completion';
import { normalizeArguments } from '../tools/arguments';
import type { CompletionAccumulator } from './completion-accumulator';
import type { ReceivedEnd, SentRequest } from './judge-response';
import { judgeResponse } from './judge-response';
import { usageFromTimings } from './usage';

/** What was sent, as far as it decides what the text of a response is. */
export interface CompletionOptions extends SentRequest {
	/** Names by which a text may call tools; empty if calls in text are ignored. Default: none. */
	callableNames?: readonly string[];
	/** Whether a call is quoted from the request. Default: none is. */
	findQuotation?: QuotationCheck;
}

/** The output of a response, thinking and text apart. */
export interface SplitOutput extends TextAndReasoning {
	/** Whether the response began with the end of thinking that the prompt had begun. */
	hasEmptyReasoning: boolean;
}

/** The completion of an ended response, by what was received beside its text. */
export function toCompletion(
	received: CompletionAccumulator,
	output: SplitOutput,
	options: CompletionOptions,
): Completion {
	const { end, metadata, toolCalls } = received;
	const normalize = memoizeArguments();
	const { text, calls: textCalls, rejectedCall } = parseTextCalls(received, output, options);
	const receivedCalls = [...toolCalls.end(normalize), ...textCalls];
	const hasText = text.trim() !== '';
	const calls = receivedCalls.filter((call) => !(hasText && isEmptyCall(call, end)));
	const response = { ...end, text, reasoning: output.reasoning, calls, normalize };
	const { hasTooMany: hasTooManyCalls } = toolCalls;
	const { failure, hasAnswerInThinking } = judgeResponse({ ...response, hasTooManyCalls }, options);
	return {
		...(hasAnswerInThinking
			? { text: output.reasoning, reasoning: '' }
			: { text, reasoning: output.reasoning }),
		...metadata,
		usage: metadata.usage ?? usageFromTimings(metadata.timings),
		hasAnswerInThinking: hasAnswerInThinking || undefined,
		failure,
		ignoredEnd: failure === undefined ? toIgnoredEnd(end) : undefined,
		toolCalls: calls.map((call) => ({
			...call,
			arguments: normalize(call.arguments) ?? call.arguments,
		})),
		finishReason: end.finishReason ?? 'unknown',
		hasEmptyReasoning: output.hasEmptyReasoning,
		isCutOff: end.isTruncated,
		isRefusal: received.isRefusal,
		hasEmptyCall: calls.length < receivedCalls.length,
		rejectedCall,
	};
}

/** Normalizes arguments: they are asked for several times, and a long text is normalized once. */
function memoizeArguments(): (args: string) => string | undefined {
	const normalized = new Map<string, string | undefined>();
	return (args) => {
		if (!normalized.has(args)) normalized.set(args, normalizeArguments(args));
		return normalized.get(args);
	};
}

/** Whether a call has neither a name nor arguments: beside text, it is not a call. */
function isEmptyCall({ name, arguments: args }: RawToolCall, { isTruncated }: ReceivedEnd) {
	return name === '' && args === '' && !isTruncated;
}

function toIgnoredEnd(end: ReceivedEnd): Completion['ignoredEnd'] {
	const { errorEvent: event } = end.failure ?? end.lateFailure ?? {};
	return event !== undefined || end.hasUnreadableEvent ? { event } : undefined;
}

/** Parses tool calls in the text if the response contains no others: a server that parses them leaves only mistakes there. */
function parseTextCalls(
	{ toolCalls, end }: CompletionAccumulator,
	output: TextAndReasoning,
	{ callableNames: tools = [], findQuotation = () => undefined, isRaw = false }: CompletionOptions,
): TextCallDecision {
	const text = isRaw ? output.text : withoutEndMarks(output.text);
	if (toolCalls.calls.length > 0) {
		const name = findIgnoredCall(text, tools, toolCalls.calls);
		const rejectedCall = name === undefined ? undefined : ({ name, reason: 'otherCalls' } as const);
		return { text, calls: [], rejectedCall };
	}
	if (tools.length === 0) return { text, calls: [] };
	const { isTruncated: isCutOff, isEndSaid: hasEnded } = end;
	const response = { tools, isCutOff, hasEnded, findQuotation };
	if (text.trim() !== '') {
		const decision = decideTextCalls({ ...response, text });
		const hasNoCall = decision.calls.length === 0 && decision.rejectedCall === undefined;
		return hasNoCall ? { ...decision, text: withoutStrayEnds(text) } : decision;
	}
	// Qwen3.5 calls before its thinking has ended, which vLLM does not expect (vLLM 39056).
	const decision = decideTextCalls({ ...response, text: output.reasoning });
	return { ...decision, text };
}
