/** Shortens a history to a budget of tokens. */
import { estimateTokens } from '../../values/tokens';
import type { ChatMessage } from '../chat-message';
import { isQuestion, isResult } from '../chat-message';
import { getMedia, getText } from '../content';

/**
 * Share of the budget by which history is trimmed at a time: in between, the server's prompt cache stays valid.
 */
const STEP = 1 / 4;

/** Estimated tokens of an image or audio file; the real number depends on the model and the file. */
const MEDIA_TOKENS = 1_000;

/** Characters of a tool result that are kept, and of one that stays unchanged. */
const SHORTENED_LENGTH = 500;
const MAX_RESULT_LENGTH = 1_000;

/** A history that fits into its budget. */
export interface TrimmedHistory {
	messages: ChatMessage[];
	/** How many of the oldest turns were omitted. */
	omittedTurns: number;
	/** How many tool results of the others were shortened. */
	shortenedResults: number;
}

/**
 * Shortens the oldest tool results, and then omits the oldest turns, until the earlier turns fit into the budget. The
 * system prompt and the current turn stay. The result depends only on the conversation, so all workers of n8n's queue
 * mode omit the same, also in later turns.
 *
 * @param budget in tokens
 */
export function trimHistory(messages: ChatMessage[], budget: number): TrimmedHistory {
	const turns = splitIntoTurns(messages.filter(({ role }) => role !== 'system'));
	const earlierTurns = turns.slice(0, -1);
	const shortened = shortenOldestResults(earlierTurns, budget);
	const sizes = earlierTurns.map((turn) =>
		estimateTurnTokens(turn.map((message) => shortened.get(message) ?? message)),
	);
	let excessTokens = getExcess(sizes, budget);
	let omittedTurns = 0;
	while (excessTokens > 0 && omittedTurns < sizes.length) {
		excessTokens -= sizes[omittedTurns]!;
		omittedTurns += 1;
	}
	const omittedMessages = new Set(turns.slice(0, omittedTurns).flat());
	const kept = messages.filter((message) => !omittedMessages.has(message));
	return {
		messages: kept.map((message) => shortened.get(message) ?? message),
		omittedTurns,
		shortenedResults: kept.filter((message) => shortened.has(message)).length,
	};
}

/** Tokens above the budget, rounded up to the next step. */
function getExcess(sizes: number[], budget: number) {
	const step = Math.max(1, budget * STEP);
	return Math.ceil((sizes.reduce((sum, size) => sum + size, 0) - budget) / step) * step;
}

/** The shortened results by their original: as many of the oldest ones as the budget requires. */
function shortenOldestResults(turns: ChatMessage[][], budget: number) {
	const shortened = new Map<ChatMessage, ChatMessage>();
	let excessTokens = getExcess(turns.map(estimateTurnTokens), budget);
	for (const message of turns.flat()) {
		if (excessTokens <= 0) break;
		const short = shortenResult(message);
		if (!short) continue;
		shortened.set(message, short);
		excessTokens -= estimateTurnTokens([message]) - estimateTurnTokens([short]);
	}
	return shortened;
}

/** A shortened tool result, with a note about it; undefined for any other message. */
function shortenResult(message: ChatMessage): ChatMessage | undefined {
	if (!isResult(message) || message.content.length <= MAX_RESULT_LENGTH) return undefined;
	const start = message.content.slice(0, SHORTENED_LENGTH).replace(/[\ud800-\udbff]$/, '');
	const omitted = message.content.length - start.length;
	const note = `[Shortened to fit the history: ${omitted} more characters were omitted]`;
	return { ...message, content: `${start}\n${note}` };
}

function estimateTurnTokens(turn: ChatMessage[]) {
	const media = turn.flatMap(({ content }) => getMedia(content));
	return estimateTokens(turn.map(getMessageText).join('\n')) + media.length * MEDIA_TOKENS;
}

/** Splits messages into turns: the user's messages, and everything up to the next ones, also images of tools. */
function splitIntoTurns(messages: ChatMessage[]) {
	const turns: ChatMessage[][] = [];
	for (const [index, message] of messages.entries()) {
		const previous = messages[index - 1];
		if (previous === undefined || (isQuestion(message) && !isQuestion(previous)))
			turns.push([message]);
		else turns.at(-1)!.push(message);
	}
	return turns;
}

function getMessageText(message: ChatMessage) {
	const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : [];
	return (
		getText(message.content, '\n') + calls.map((call) => call.name + call.arguments).join('\n')
	);
}
