/** Whether responses begin inside their thinking, which some servers do not mark: learned from one for the next. */
import { isOfModel } from '../chat-message';
import { getProfile } from '../../servers/profile';
import { hasUnopenedReasoning, opensReasoningInPrompt } from '../../text/reasoning';
import { isJsonRequested, isThinkingOff } from '../settings';
import { getText } from '../content';
import type { TurnContext } from '../turn-context';
import type { Completion, CompletionRequest } from '../completion';
import type { TextOptions } from './text-stages';

/** How one response may begin, and what its beginning teaches about the next ones of the same model. */
export interface ReasoningStartTracker {
	/** How the reader of the response treats its beginning. */
	options: Pick<TextOptions, 'mentionsTags' | 'mayStartInReasoning'>;
	/**
	 * Whether the last response began inside its thinking, so that this one is held back until its thinking ends. False
	 * also where the response waits for another reason, or where the last one makes no difference.
	 */
	lastStartedInReasoning: boolean;
	/** The warning about the first response that began inside its thinking, which users saw as text. */
	getWarning(completion: Completion): string | undefined;
	/**
	 * Stores for the next responses whether this one began inside its thinking. Where that makes no difference, nothing is
	 * stored.
	 *
	 * @param warning that about this response
	 */
	storeStart(completion: Completion, warning: string | undefined): void;
}

const WARNING =
	'The response ended its thinking with </think> but had not begun it, so the thinking was shown as text. The next responses of this model are shown when their thinking has ended. Start the server with a reasoning parser to avoid this.';

/** Looks up how the response to a request may begin, by the last one of the model. */
export function createReasoningStartTracker(
	{ server, settings, chatRequest }: TurnContext,
	{ model, messages, sampling }: CompletionRequest,
): ReasoningStartTracker {
	const mentionsTags = messages.some(
		(message) => !isOfModel(message) && getText(message.content).includes('think>'),
	);
	const isNeededOnlyAtEnd = chatRequest.isNeededOnlyAtEnd === true;
	const isJson = isJsonRequested(settings.sampling);
	// If the text is not streamed, waiting for the end of the thinking costs nothing.
	const mayStartInReasoning =
		(isNeededOnlyAtEnd && !mentionsTags) || isJson || opensReasoningInPrompt(model);
	if (mayStartInReasoning || isNeededOnlyAtEnd || mentionsTags || isThinkingOff(sampling))
		return {
			options: { mentionsTags, mayStartInReasoning },
			lastStartedInReasoning: false,
			getWarning: () => undefined,
			storeStart: () => {},
		};
	const profile = getProfile(server);
	const key = JSON.stringify([model, sampling.thinking]);
	const lastStartedInReasoning = profile.startsInReasoning(key);
	return {
		options: { mentionsTags, mayStartInReasoning: lastStartedInReasoning },
		lastStartedInReasoning,
		getWarning: ({ text }) =>
			!lastStartedInReasoning && hasUnopenedReasoning(text) ? WARNING : undefined,
		storeStart: ({ reasoning, hasEmptyReasoning }, warning) => {
			const starts = lastStartedInReasoning ? reasoning !== '' : warning !== undefined;
			profile.storeReasoningStart(key, starts || hasEmptyReasoning);
		},
	};
}
