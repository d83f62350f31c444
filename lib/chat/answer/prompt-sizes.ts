/** How many tokens a prompt should have, learned from earlier ones: some servers leave out messages without an error. */
import { LruCache } from '../../lru-cache';
import { conversationKey } from '../request/conversation-key';
import { hasPicture, textLength } from '../request/request';
import type { ChatMessage, ChatRequest } from '../types';

/** Shorter prompts are mostly template and tools. */
const LEAST_CHARACTERS = 1_000;
/** No text that people write has more than seven characters in a token. */
const LEAST_TOKENS_PER_CHARACTER = 1 / 7;
/** Prose, code and tables differ so much from each other at most. */
const SURE_SHARE = 0.6;
/** What templates leave out of earlier turns. */
const KEPT_SHARE = 0.95;

interface PromptSize {
	characters: number;
	tokens: number;
}

/** The last prompt of each conversation. */
const lastPrompts = LruCache.shared<PromptSize>();
/** The fewest tokens per character of each model. */
const ratios = LruCache.shared<number>();

/**
 * The least number of tokens that the prompt of this request must have had; undefined if that is not known. If it had
 * as many, its size is remembered.
 *
 * @param model key of server and model
 * @param tokens that the server counted
 */
export function leastPromptTokens(
	model: string,
	{ messages, tools }: Pick<ChatRequest, 'messages' | 'tools'>,
	tokens: number,
): number | undefined {
	const characters = textLength(messages);
	if (characters < LEAST_CHARACTERS || messages.some(hasUncountedTokens)) return undefined;
	const key = conversationKey(model, messages, tools);
	const least = leastFor({ characters, last: lastPrompts.get(key), ratio: ratios.get(model) });
	const isComplete = least === undefined || tokens >= least;
	if (isComplete) {
		lastPrompts.set(key, { characters, tokens });
		learnRatio(model, tokens / characters);
	}
	return least;
}

function leastFor({
	characters,
	last,
	ratio,
}: {
	characters: number;
	last?: PromptSize;
	ratio?: number;
}): number | undefined {
	const hasGrown = last !== undefined && characters >= last.characters;
	const byLast = hasGrown ? last.tokens * KEPT_SHARE : 0;
	const byRatio = ratio === undefined ? 0 : characters * ratio * SURE_SHARE;
	const least = Math.floor(Math.max(byLast, byRatio));
	return least === 0 ? undefined : least;
}

/** A prompt that may itself have lost messages teaches nothing. */
function learnRatio(model: string, ratio: number): void {
	if (ratio < LEAST_TOKENS_PER_CHARACTER) return;
	ratios.set(model, Math.min(ratio, ratios.get(model) ?? Infinity));
}

/** Templates leave out thinking, and n8n leaves out pictures of earlier turns. */
function hasUncountedTokens(message: ChatMessage): boolean {
	const hasThinking = message.role === 'assistant' && message.reasoning !== undefined;
	return hasThinking || hasPicture(message);
}
