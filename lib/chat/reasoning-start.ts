/** Remembers models whose responses end thinking that they did not begin, because the prompt began it. */
import { getProfile } from '../servers/profile';
import { hasUnopenedReasoning, opensReasoningInPrompt } from '../text/reasoning';
import { getText } from './content';
import { isJsonRequested } from './parameters';
import type { TurnContext } from './turn-context';
import type { Completion, CompletionRequest } from './types';

const WARNING =
	'The response ended its thinking with </think> but had not begun it, so the thinking was shown as text. The next responses of this model are shown when their thinking has ended. Start the server with a reasoning parser to avoid this.';

export interface ReasoningStart {
	/** Whether the request mentions the tags, which the response may then discuss. */
	mentionsTags: boolean;
	/** Whether the response may begin inside the thinking. */
	isPossible: boolean;
	/** Whether that is known from the last response. */
	isLearned: boolean;
	/** Stores whether the response began inside the thinking. @returns the warning about the first one */
	learn(completion: Pick<Completion, 'text' | 'reasoning'>): string | undefined;
}

/** Whether the response to a request may begin inside the thinking. */
export function getReasoningStart(
	{ server, settings, chatRequest }: TurnContext,
	{ model, messages, parameters }: CompletionRequest,
): ReasoningStart {
	const mentionsTags = messages.some(
		({ role, content }) => role !== 'assistant' && getText(content).includes('think>'),
	);
	const isBuffered = chatRequest.isBuffered === true;
	const isJson = isJsonRequested(settings.parameters);
	// If the text is not streamed, waiting for the end of the thinking costs nothing.
	const isPossible = (isBuffered && !mentionsTags) || isJson || opensReasoningInPrompt(model);
	const isThinkingOff = parameters.thinking?.mode === 'off';
	if (isPossible || isBuffered || mentionsTags || isThinkingOff)
		return { mentionsTags, isPossible, isLearned: false, learn: () => undefined };
	const profile = getProfile(server);
	const key = JSON.stringify([model, parameters.thinking]);
	const isLearned = profile.startsInReasoning(key);
	return {
		mentionsTags,
		isPossible: isLearned,
		isLearned,
		learn: ({ text, reasoning }) => {
			const starts = isLearned ? reasoning !== '' : hasUnopenedReasoning(text);
			profile.storeReasoningStart(key, starts);
			return starts && !isLearned ? WARNING : undefined;
		},
	};
}
