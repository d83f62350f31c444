import type { FinishedAnswer } from './types';
import { LruCache } from '../lru-cache';

/** The cached original of a tool call and its turn, which n8n returns in pieces and changed. */
export interface RememberedCall {
	/** Text the model wrote before its calls. */
	text: string;
	reasoning: string;
	name: string;
	/** The arguments exactly as the model wrote them. */
	arguments: string;
}

const MAX_CALLS = 2000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

/**
 * Caches the calls of recent answers with their exact arguments, and the text and thinking before them. n8n 2.20's
 * agent loses the thinking, and n8n 2.41's overwrites an argument called `id`. Entries may be missing, as on another
 * worker of n8n's queue mode: then the conversation is still correct, only less like what the model wrote.
 *
 * The key is our own unique id of the call (`ownToolCallIds`), never the server's id, which may be repeated in other
 * conversations.
 */
export class TurnMemory {
	private readonly calls = new LruCache<RememberedCall>({
		maxEntries: MAX_CALLS,
		maxSize: MAX_CHARACTERS,
		sizeOf: ({ text, reasoning, arguments: args }) => text.length + reasoning.length + args.length,
	});

	remember({
		text,
		reasoning,
		toolCalls,
	}: Pick<FinishedAnswer, 'text' | 'reasoning' | 'toolCalls'>): void {
		for (const { id, name, arguments: args } of toolCalls)
			this.calls.set(id, { text, reasoning, name, arguments: args });
	}

	recall(id: string): RememberedCall | undefined {
		return this.calls.get(id);
	}
}

/** Of this process. */
export const turnMemory = new TurnMemory();
