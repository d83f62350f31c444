import type { RememberedCall } from '../request/messages';
import type { ChatAnswer } from '../types';
import { LruCache } from '../../lru-cache';

const MAX_CALLS = 2000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

/**
 * Remembers the calls of recent answers with the text and the thinking before them and with their exact arguments. n8n
 * 2.20's agent carries no thinking, and n8n 2.41's overwrites an argument called `id`. A cache that may vanish at any
 * time, as it does between the workers of n8n's queue mode: without it the conversation is still right, just less like
 * what the model wrote.
 *
 * A call is found by its id, which nobody else's call can have: see `ownToolCallIds`. Never by the server's id, which
 * may come again in everybody's conversations.
 */
export class TurnMemory {
	private readonly calls = new LruCache<RememberedCall>({
		maxEntries: MAX_CALLS,
		maxSize: MAX_CHARACTERS,
		sizeOf: ({ text, reasoning, arguments: args }) => text.length + reasoning.length + args.length,
	});

	remember({ text, reasoning, toolCalls }: ChatAnswer): void {
		for (const { id, name, arguments: args } of toolCalls)
			this.calls.set(id, { text, reasoning, name, arguments: args });
	}

	recall(id: string): RememberedCall | undefined {
		return this.calls.get(id);
	}
}
