import { randomBytes } from 'node:crypto';

import type { RememberedCall } from './messages';
import type { ChatAnswer } from './types';

const MOST_CALLS = 2000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

/**
 * Remembers the calls of recent answers by their id: which were of one answer, with which thinking and which exact arguments. n8n 2.20's agent
 * carries no thinking, and no version tells which calls belong together. A cache that may vanish at any time: without
 * it the conversation is still right, just less like what the model wrote.
 */
export class TurnMemory {
	private readonly calls = new Map<string, RememberedCall>();
	private characters = 0;

	remember(answer: ChatAnswer): void {
		if (answer.toolCalls.length === 0) return;
		const turn = randomBytes(8).toString('hex');
		for (const { id, name, arguments: args } of answer.toolCalls) {
			this.forget(id);
			const call = { turn, text: answer.text, reasoning: answer.reasoning, name, arguments: args };
			this.calls.set(id, call);
			this.characters += size(call);
		}
		while (this.calls.size > MOST_CALLS || (this.characters > MOST_CHARACTERS && this.calls.size > 0)) {
			this.forget(this.calls.keys().next().value!);
		}
	}

	recall(id: string): RememberedCall | undefined {
		return this.calls.get(id);
	}

	private forget(id: string): void {
		const call = this.calls.get(id);
		if (call === undefined) return;
		this.calls.delete(id);
		this.characters -= size(call);
	}
}

function size({ text, reasoning, arguments: args }: RememberedCall): number {
	return text.length + reasoning.length + args.length;
}
