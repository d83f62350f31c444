/** The originals of recent tool calls, which n8n splits and changes. */
import type { ChatResult } from '../chat-result';
import { keep } from '../../kept';
import type { LruCache } from '../../lru-cache';

/** The cached original of a tool call and its turn, which n8n splits and changes. */
export interface CachedToolCall {
	/** Text the model wrote before its calls. */
	text: string;
	reasoning: string;
	name: string;
	/** The arguments exactly as the model wrote them. */
	arguments: string;
}

/** Longer calls are not cached. */
const MAX_CHARACTERS = 64 * 1024;

/** Of a cached call: its ID and the entry of the cache. */
const BYTES_OF_CALL = 512;

/**
 * The calls of recent responses with their exact arguments, and the text and thinking before them. n8n 2.20's
 * agent loses the thinking, and n8n 2.41's overwrites an argument called `id`. Entries may be missing, as on another
 * worker of n8n's queue mode: then the conversation is still correct, but less similar to the model's output.
 *
 * The key is our own unique ID of the call (`createToolCallIds`), never the server's ID, which may be repeated in other
 * conversations.
 */
export const toolCallCache: LruCache<CachedToolCall> = keep<CachedToolCall>('toolCalls');

/** Caches the calls of a response, by our IDs. */
export function cacheToolCalls({
	text,
	reasoning,
	toolCalls,
}: Pick<ChatResult, 'text' | 'reasoning' | 'toolCalls'>): void {
	for (const { id, name, arguments: args } of toolCalls) {
		// A model may invent a name of any length.
		const characters = text.length + reasoning.length + name.length + args.length;
		if (characters <= MAX_CHARACTERS)
			toolCallCache.set(
				id,
				{ text, reasoning, name, arguments: args },
				BYTES_OF_CALL + 2 * characters,
			);
	}
}
