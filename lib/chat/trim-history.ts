import { estimateTokens } from '../tokens';
import type { ChatMessage } from './types';
import { getMedia, getText } from './content';

/**
 * History is dropped in steps of this share of the budget, so that the server's prompt cache stays valid in between.
 */
const STEP = 1 / 4;
/** Tokens of a picture or a recording; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/**
 * Drops the oldest turns until the earlier turns fit into the budget. The system prompt and the current turn stay. The
 * result depends only on the conversation, so that every worker of n8n's queue mode drops the same turns, also in the
 * following turns.
 *
 * @param budget in tokens
 * @returns also the number of turns that were left out
 */
export function trimHistory(
	messages: readonly ChatMessage[],
	budget: number,
): { messages: ChatMessage[]; leftOut: number } {
	const turns = turnsOf(messages.filter(({ role }) => role !== 'system'));
	const earlier = turns.slice(0, -1);
	const sizes = earlier.map(tokensOf);
	const tooMuch = sizes.reduce((sum, size) => sum + size, 0) - budget;
	const step = Math.max(1, budget * STEP);
	const target = Math.ceil(tooMuch / step) * step;
	let leftOut = 0;
	let droppedTokens = 0;
	while (droppedTokens < target && leftOut < earlier.length) {
		droppedTokens += sizes[leftOut]!;
		leftOut += 1;
	}
	const dropped = new Set(turns.slice(0, leftOut).flat());
	return { messages: messages.filter((message) => !dropped.has(message)), leftOut };
}

function tokensOf(turn: readonly ChatMessage[]): number {
	const media = turn.flatMap(({ content }) => getMedia(content));
	return estimateTokens(turn.map(getMessageText).join('\n')) + media.length * MEDIA_TOKENS;
}

/** Splits messages into turns: the user's messages, and everything up to the next ones. */
function turnsOf(messages: readonly ChatMessage[]): ChatMessage[][] {
	const turns: ChatMessage[][] = [];
	for (const [at, message] of messages.entries()) {
		if (at === 0 || (message.role === 'user' && messages[at - 1]!.role !== 'user'))
			turns.push([message]);
		else turns.at(-1)!.push(message);
	}
	return turns;
}

function getMessageText(message: ChatMessage): string {
	const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
	return (
		getText(message.content, '\n') + calls.map((call) => call.name + call.arguments).join('\n')
	);
}
