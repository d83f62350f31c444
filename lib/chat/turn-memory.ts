import { randomBytes } from 'node:crypto';

import type { RememberedCall } from './messages';
import type { ChatAnswer } from './types';

const MOST_CALLS = 2000;
const MOST_CHARACTERS = 8 * 1024 * 1024;

/**
 * Remembers the calls of recent answers: which were of one answer, with which thinking and which exact arguments. n8n 2.20's agent
 * carries no thinking, n8n 2.41's overwrites an argument called `id`, and no version tells which calls belong together. A cache that may vanish at any
 * time: without it the conversation is still right, just less like what the model wrote.
 *
 * A call is found by its id and the question it was made for: servers that number their calls use the same ids in everybody's
 * conversations, and nobody's thinking may turn up in another one.
 */
export class TurnMemory {
	private readonly calls = new Map<string, RememberedCall>();
	private characters = 0;

	/** `question`: see `questionOf`, the same as for `recall`. */
	remember(answer: ChatAnswer, question: string): void {
		if (answer.toolCalls.length === 0) return;
		const turn = randomBytes(8).toString('hex');
		for (const { id, name, arguments: args } of answer.toolCalls) {
			const key = keyOf(id, question);
			this.forget(key);
			const call = { turn, text: answer.text, reasoning: answer.reasoning, name, arguments: args };
			this.calls.set(key, call);
			this.characters += size(call);
		}
		while (this.calls.size > MOST_CALLS || (this.characters > MOST_CHARACTERS && this.calls.size > 0)) {
			this.forget(this.calls.keys().next().value!);
		}
	}

	recall(id: string, question: string): RememberedCall | undefined {
		return this.calls.get(keyOf(id, question));
	}

	private forget(key: string): void {
		const call = this.calls.get(key);
		if (call === undefined) return;
		this.calls.delete(key);
		this.characters -= size(call);
	}
}

function keyOf(id: string, question: string): string {
	return `${question} ${id}`;
}

function size({ text, reasoning, arguments: args }: RememberedCall): number {
	return text.length + reasoning.length + args.length;
}
