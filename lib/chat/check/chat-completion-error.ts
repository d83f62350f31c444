/** The error of a chat's completion that cannot be used: with what is known of its settings. */
import type { ServerError } from '../../errors/server-error';
import type { CutCall, ResponseEnd } from '../../errors/issues';
import { toKnownServer } from '../../servers/known-server';
import type { ErrorContext } from '../../errors/create-error';
import { createServerError } from '../../errors/create-error';
import { createCompletionError } from '../read/completion-error';
import type { CompletionSource } from '../read/completion-error';
import { getResponseEnd } from '../response-end';
import { isThinkingOff } from '../settings';
import type { TurnContext } from '../turn-context';
import type { Completion } from '../completion';

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
	return (
		toPlainTextError(completion, contentType, source.errorContext) ??
		createCompletionError(failure, source, {
			facts: { ...failure.facts, usage },
			about: {
				...failure.about,
				server: toKnownServer(serverType),
				responseEnd: end,
				rejectedCall,
				isCutOff: isCutOff || undefined,
				tool: failure.tool,
				isThinkingOff: isThinkingOff(settings.sampling),
				maxTokens: end.maxTokens,
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
		about: { plainStream: type },
		serverText,
		partialText: serverText,
	});
}
