/** Whether a response may begin inside its thinking, which some servers do not mark. */
import { getProfile } from '../../servers/profile';
import { hasUnopenedReasoning, opensReasoningInPrompt } from '../../text/reasoning';
import { isJsonRequested } from '../settings';
import { getText } from '../content';
import type { TurnContext } from '../turn-context';
import type { Completion, CompletionRequest } from '../completion';
import type { AccumulatorOptions } from './completion-accumulator';

/** What is known before a response about the beginning of its thinking. */
export interface ReasoningStart {
	options: Pick<AccumulatorOptions, 'mentionsTags' | 'mayStartInReasoning'>;
	/** Whether the last response began inside its thinking, so that this one is held back until its thinking ends. */
	isLearned: boolean;
	/**
	 * Stores whether the response began inside its thinking.
	 *
	 * @returns a warning about the first response that did, for the user
	 */
	learn(completion: Completion): string | undefined;
}

const WARNING =
	'The response ended its thinking with </think> but had not begun it, so the thinking was shown as text. The next responses of this model are shown when their thinking has ended. Start the server with a reasoning parser to avoid this.';

/** Looks up how the response to a request may begin. */
export function getReasoningStart(
	{ server, settings, chatRequest }: TurnContext,
	{ model, messages, sampling }: CompletionRequest,
): ReasoningStart {
	const mentionsTags = messages.some(
		({ role, content }) => role !== 'assistant' && getText(content).includes('think>'),
	);
	const isBuffered = chatRequest.isBuffered === true;
	const isJson = isJsonRequested(settings.sampling);
	// If the text is not streamed, waiting for the end of the thinking costs nothing.
	const mayStartInReasoning =
		(isBuffered && !mentionsTags) || isJson || opensReasoningInPrompt(model);
	const isThinkingOff = sampling.thinking?.mode === 'off';
	if (mayStartInReasoning || isBuffered || mentionsTags || isThinkingOff)
		return {
			options: { mentionsTags, mayStartInReasoning },
			isLearned: false,
			learn: () => undefined,
		};
	const profile = getProfile(server);
	const key = JSON.stringify([model, sampling.thinking]);
	const isLearned = profile.startsInReasoning(key);
	return {
		options: { mentionsTags, mayStartInReasoning: isLearned },
		isLearned,
		learn: ({ text, reasoning, hasEmptyReasoning }) => {
			const isShown = !isLearned && hasUnopenedReasoning(text);
			const starts = isLearned ? reasoning !== '' : isShown;
			profile.storeReasoningStart(key, starts || hasEmptyReasoning);
			return isShown ? WARNING : undefined;
		},
	};
}
