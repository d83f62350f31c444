import { TurnMemory } from '../../../../lib/chat/answer/turn-memory';
import type { AnswerContent } from '../../../../lib/chat/types';

const answer = (ids: string[], more: Partial<AnswerContent> = {}): AnswerContent => ({
	text: 'Let me see.',
	reasoning: 'Hm',
	toolCalls: ids.map((id) => ({ id, name: 'f', arguments: `{"x": "${id}"}` })),
	finishReason: 'tool_calls',
	notes: [],
	...more,
});

describe('the memory of tool turns', () => {
	it('knows the calls of an answer with their text, thinking and arguments', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['a', 'b']));
		expect(memory.recall('a')).toEqual({
			text: 'Let me see.',
			reasoning: 'Hm',
			name: 'f',
			arguments: '{"x": "a"}',
		});
		expect(memory.recall('b')).toMatchObject({ arguments: '{"x": "b"}' });
		expect(memory.recall('c')).toBeUndefined();
	});

	it('takes the newest of the same call', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['call_0'], { reasoning: 'old' }));
		memory.remember(answer(['call_0'], { reasoning: 'new' }));
		expect(memory.recall('call_0')?.reasoning).toBe('new');
	});

	it('keeps nothing of answers without calls', () => {
		const memory = new TurnMemory();
		memory.remember(answer([]));
		expect(memory.recall('')).toBeUndefined();
	});

	it('forgets what was used least recently after 2,000 calls', () => {
		const memory = new TurnMemory();
		for (let i = 0; i < 2001; i++) memory.remember(answer([String(i)]));
		expect(memory.recall('0')).toBeUndefined();
		expect(memory.recall('1')).toBeDefined();
		expect(memory.recall('2000')).toBeDefined();
	});

	it('forgets what was used least recently after 8 million characters, and remembers nothing larger', () => {
		const memory = new TurnMemory();
		const long = (size: number) => ({ reasoning: 'x'.repeat(size) });
		memory.remember(answer(['a'], long(5_000_000)));
		memory.remember(answer(['b'], long(3_000_000)));
		expect(memory.recall('a')).toBeDefined();
		memory.remember(answer(['c'], long(3_000_000)));
		// Its conversation goes on.
		expect(memory.recall('a')).toBeDefined();
		expect(memory.recall('b')).toBeUndefined();
		memory.remember(answer(['d'], long(9_000_000)));
		expect(memory.recall('d')).toBeUndefined();
		memory.remember(answer(['e']));
		expect(memory.recall('e')).toBeDefined();
	});

	it('replacing a call does not count twice', () => {
		const memory = new TurnMemory();
		for (let i = 0; i < 20; i++)
			memory.remember(answer(['a'], { reasoning: 'x'.repeat(1_000_000) }));
		memory.remember(answer(['b']));
		expect(memory.recall('a')).toBeDefined();
	});
});
