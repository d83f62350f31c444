import fc from 'fast-check';

import { leastPromptTokens } from '../../../../lib/chat/answer/prompt-sizes';
import type { ChatMessage } from '../../../../lib/chat/types';
import { clearSharedCaches } from '../../../../lib/lru-cache';

beforeEach(clearSharedCaches);

const user = (content: string): ChatMessage => ({ role: 'user', content });
const FIRST = user('x'.repeat(2_000));
const ask = (tokens: number, ...messages: ChatMessage[]) =>
	leastPromptTokens('m', { messages: [FIRST, ...messages] }, tokens);

it('a conversation that only grows is never said to have lost messages, whatever its texts are', () => {
	const turns = fc.array(
		fc.record({
			length: fc.nat(20_000),
			// From one token for each character (Chinese) to one for six (prose).
			perCharacter: fc.constantFrom(1, 0.5, 0.3, 0.25),
		}),
		{ maxLength: 10 },
	);
	fc.assert(
		fc.property(turns, (list) => {
			clearSharedCaches();
			let tokens = 500;
			const messages: ChatMessage[] = [];
			for (const { length } of list) {
				messages.push(user('y'.repeat(length)));
				tokens += Math.ceil(length * list[0]!.perCharacter);
				expect(ask(tokens, ...messages) ?? 0).toBeLessThanOrEqual(tokens);
			}
		}),
	);
});

it('fewer tokens than in the turn before are too few', () => {
	ask(3_900);
	expect(ask(2_716, user('more'))).toBe(3_705);
	// It is not learned from.
	expect(ask(2_716, user('more'))).toBe(3_705);
	expect(ask(3_950, user('more'))).toBe(3_705);
});

it('fewer than the texts of this model have had are too few, in another conversation', () => {
	leastPromptTokens('m', { messages: [user('漢'.repeat(2_000))] }, 1_400);
	expect(leastPromptTokens('m', { messages: [user('字'.repeat(10_000))] }, 4_000)).toBe(4_200);
	expect(leastPromptTokens('other', { messages: [user('字'.repeat(10_000))] }, 4_000)).toBe(
		undefined,
	);
});

it('short prompts, and those with pictures or thinking, say nothing', () => {
	const picture: ChatMessage = {
		role: 'user',
		content: [{ type: 'image', url: 'data:image/png;base64,AA' }],
	};
	const thought: ChatMessage = { role: 'assistant', content: '', reasoning: 'hm' };
	ask(3_000);
	expect(ask(10, picture)).toBe(undefined);
	expect(ask(10, thought)).toBe(undefined);
	expect(leastPromptTokens('m', { messages: [user('Hi')] }, 1)).toBe(undefined);
});
