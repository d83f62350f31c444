/** The error of a chat's completion that cannot be used: with what is known of its settings. */
import type { ServerError } from '../../errors/server-error';
import type { ErrorContext } from '../../errors/create-error';
import { createServerError } from '../../errors/create-error';
import { createCompletionError } from '../read/completion-error';
import type { CompletionSource } from '../read/completion-error';
import { describeRejectedCall } from './rejected-call';
import { isThinkingOff } from '../settings';
import type { TurnContext } from '../turn-context';
import type { Completion } from '../completion';

const CUT_OFF_BEFORE_TEXT =
	'The token limit was reached before any text was generated. Raise Maximum Tokens or the server context. Thinking uses tokens, too.';

/** A completion that cannot be used, and where it comes from. */
export interface FailedCompletion {
	/** With its `failure`. */
	completion: Completion;
	source: CompletionSource;
	/** Of the response. Default: none. */
	contentType?: string;
}

/** The error of a chat's completion that cannot be used. */
export function createChatCompletionError(
	{ settings: { sampling }, serverType }: TurnContext,
	{ completion, source, contentType = '' }: FailedCompletion,
): ServerError {
	const { finishReason, isCutOff, usage, rejectedCall } = completion;
	const failure = completion.failure!;
	const { maxTokens = 0 } = sampling;
	const isCutOffBeforeText = failure.errorType === 'emptyResponse' && isCutOff;
	// A call in thinking that never ended.
	const callHint = rejectedCall && describeRejectedCall(rejectedCall, serverType);
	return (
		toPlainTextError(completion, contentType, source.errorContext) ??
		createCompletionError(failure, source, {
			suggestion: callHint ?? (isCutOffBeforeText ? CUT_OFF_BEFORE_TEXT : failure.suggestion),
			facts: { ...failure.facts, usage },
			about: {
				tool: failure.tool,
				isThinkingOff: isThinkingOff(sampling),
				maxTokens: maxTokens > 0 ? maxTokens : undefined,
				hasModelEnded: finishReason === 'stop' && !isCutOff,
			},
		})
	);
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
