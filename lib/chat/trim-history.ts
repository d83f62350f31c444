import { estimateTokens } from '../tokens';
import type { ChatMessage } from './types';
import { getMedia, getText } from './content';

/**
 * Share of the budget by which history is trimmed at a time: in between, the server's prompt cache stays valid.
 */
const STEP = 1 / 4;

/** Estimated tokens of an image or audio file; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/**
 * Omits the oldest turns until the earlier turns fit into the budget. The system prompt and the current turn stay. The
 * result depends only on the conversation, so all workers of n8n's queue mode omit the same turns, also in later turns.
 *
 * @param budget in tokens; 0 = no limit
 * @returns also the number of omitted turns
 */
export function trimHistory(
	messages: ChatMessage[],
	budget: number,
): { messages: ChatMessage[]; omittedTurns: number } {
	if (budget === 0) return { messages, omittedTurns: 0 };
	const turns = splitIntoTurns(messages.filter(({ role }) => role !== 'system'));
	const sizes = turns.slice(0, -1).map(estimateTurnTokens);
	const excess = sizes.reduce((sum, size) => sum + size, 0) - budget;
	const step = Math.max(1, budget * STEP);
	let excessTokens = Math.ceil(excess / step) * step;
	let omittedTurns = 0;
	while (excessTokens > 0 && omittedTurns < sizes.length) {
		excessTokens -= sizes[omittedTurns]!;
		omittedTurns += 1;
	}
	const omittedMessages = new Set(turns.slice(0, omittedTurns).flat());
	return { messages: messages.filter((message) => !omittedMessages.has(message)), omittedTurns };
}

function estimateTurnTokens(turn: readonly ChatMessage[]): number {
	const media = turn.flatMap(({ content }) => getMedia(content));
	return estimateTokens(turn.map(getMessageText).join('\n')) + media.length * MEDIA_TOKENS;
}

/** Splits messages into turns: the user's messages, and everything up to the next ones. */
function splitIntoTurns(messages: readonly ChatMessage[]): ChatMessage[][] {
	const turns: ChatMessage[][] = [];
	for (const [index, message] of messages.entries()) {
		if (index === 0 || (message.role === 'user' && messages[index - 1]!.role !== 'user'))
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
