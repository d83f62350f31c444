/** The error of a chat's completion that cannot be used: with what is known of its settings. */
import type { CutCall, ResponseEnd, ServerError } from '../../errors/server-error';
import type { ErrorContext } from '../../errors/create-error';
import { createServerError } from '../../errors/create-error';
import { createCompletionError } from '../read/completion-error';
import type { CompletionSource } from '../read/completion-error';
import { getResponseEnd, suggestRoomForThinking } from '../response-end';
import { describeRejectedCall } from './rejected-call';
import { isThinkingOff } from '../settings';
import type { TurnContext } from '../turn-context';
import type { Completion } from '../completion';

const CUT_OFF_BEFORE_TEXT = 'The token limit was reached before any text was generated.';

/** A completion that cannot be used, and where it comes from. */
export interface FailedCompletion {
	/** With its `failure`. */
	completion: Completion;
	source: CompletionSource;
	/** Of the response. Default: none. */
	contentType?: string;
	/** The call that makes it useless. Default: none. */
	cutCall?: CutCall;
}

/** The error of a chat's completion that cannot be used. */
export function createChatCompletionError(
	turn: TurnContext,
	{ completion, source, contentType = '', cutCall }: FailedCompletion,
): ServerError {
	const { settings, serverType } = turn;
	const { finishReason, isCutOff, usage, rejectedCall } = completion;
	const failure = completion.failure!;
	const end: ResponseEnd = { ...getResponseEnd(turn, completion), cutCall };
	// A call in thinking that never ended.
	const callHint = rejectedCall && describeRejectedCall(rejectedCall, serverType, end);
	return (
		toPlainTextError(completion, contentType, source.errorContext) ??
		createCompletionError(failure, source, {
			suggestion: callHint ?? suggestLongerResponse(completion, end) ?? failure.suggestion,
			facts: { ...failure.facts, usage },
			end,
			about: {
				tool: failure.tool,
				isThinkingOff: isThinkingOff(settings.sampling),
				maxTokens: end.maxTokens,
				hasModelEnded: finishReason === 'stop' && !isCutOff,
			},
		})
	);
}

/** What to do about a response that the token limit ended before any text, or in a call. */
function suggestLongerResponse(
	{ failure, isCutOff }: Completion,
	end: ResponseEnd,
): string | undefined {
	if (failure?.errorType === 'toolCallTruncated') return suggestRoomForThinking(end);
	const isEmpty = failure?.errorType === 'emptyResponse' && isCutOff;
	return isEmpty ? `${CUT_OFF_BEFORE_TEXT} ${suggestRoomForThinking(end)}` : undefined;
}

/** The error for plain text instead of events: from a server that streams plain text, or from another program. */
function toPlainTextError(
	{ text, reasoning, failure }: Completion,
	contentType: string,
	context: ErrorContext,
) {
	const type = contentType.split(';')[0]!.trim();
	const isEmpty = failure?.errorType === 'streamEndedEarly' && text === '' && reasoning === '';
	if (!isEmpty || failure.serverText === undefined || !type || /event-stream|json/i.test(type))
		return undefined;
	const { serverText } = failure;
	return createServerError('invalidResponse', context, {
		title: `The server responded with ${type} instead of OpenAI API events (text/event-stream)`,
		suggestion:
			'A custom server must send each chunk as "data: {…}" with choices[0].delta.content and end with "data: [DONE]", or send the complete response as one JSON object. The details show what was received.',
		serverText,
		partialText: serverText,
	});
}
