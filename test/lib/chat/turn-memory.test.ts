import { TurnMemory } from '../../../lib/chat/turn-memory';
import type { ChatAnswer } from '../../../lib/chat/types';

const answer = (ids: string[], more: Partial<ChatAnswer> = {}): ChatAnswer => ({
	text: 'Let me see.',
	reasoning: 'Hm',
	toolCalls: ids.map((id) => ({ id, name: 'f', arguments: `{"x": "${id}"}` })),
	finishReason: 'tool_calls',
	notes: [],
	...more,
});

describe('the memory of tool turns', () => {
	it('knows the calls of an answer with their turn, text, thinking and arguments', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['a', 'b']), 'q');
		const a = memory.recall('a', 'q');
		expect(a).toEqual({ turn: a?.turn, text: 'Let me see.', reasoning: 'Hm', name: 'f', arguments: '{"x": "a"}' });
		expect(memory.recall('b', 'q')?.turn).toBe(a?.turn);
		expect(memory.recall('c', 'q')).toBeUndefined();
	});

	it('gives every answer a turn of its own', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['a']), 'q');
		memory.remember(answer(['b']), 'q');
		expect(memory.recall('a', 'q')?.turn).not.toBe(memory.recall('b', 'q')?.turn);
	});

	it('never mixes two conversations, though the server gives both the same ids', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['call_0'], { reasoning: 'of one' }), 'question one');
		memory.remember(answer(['call_0'], { reasoning: 'of two' }), 'question two');
		expect(memory.recall('call_0', 'question one')?.reasoning).toBe('of one');
		expect(memory.recall('call_0', 'question two')?.reasoning).toBe('of two');
		expect(memory.recall('call_0', 'question three')).toBeUndefined();
	});

	it('takes the newest of the same call', () => {
		const memory = new TurnMemory();
		memory.remember(answer(['call_0'], { reasoning: 'old' }), 'q');
		memory.remember(answer(['call_0'], { reasoning: 'new' }), 'q');
		expect(memory.recall('call_0', 'q')?.reasoning).toBe('new');
	});

	it('keeps nothing of answers without calls', () => {
		const memory = new TurnMemory();
		memory.remember(answer([]), 'q');
		expect(memory.recall('', 'q')).toBeUndefined();
	});

	it('forgets the oldest after 2,000 calls', () => {
		const memory = new TurnMemory();
		for (let i = 0; i < 2001; i++) memory.remember(answer([String(i)]), 'q');
		expect(memory.recall('0', 'q')).toBeUndefined();
		expect(memory.recall('1', 'q')).toBeDefined();
		expect(memory.recall('2000', 'q')).toBeDefined();
	});

	it('forgets the oldest after 8 million characters, and remembers nothing larger', () => {
		const memory = new TurnMemory();
		const long = (size: number) => ({ reasoning: 'x'.repeat(size) });
		memory.remember(answer(['a'], long(5_000_000)), 'q');
		memory.remember(answer(['b'], long(3_000_000)), 'q');
		expect(memory.recall('a', 'q')).toBeDefined();
		memory.remember(answer(['c'], long(3_000_000)), 'q');
		expect(memory.recall('a', 'q')).toBeUndefined();
		expect(memory.recall('b', 'q')).toBeDefined();
		memory.remember(answer(['d'], long(9_000_000)), 'q');
		expect(memory.recall('d', 'q')).toBeUndefined();
		memory.remember(answer(['e']), 'q');
		expect(memory.recall('e', 'q')).toBeDefined();
	});

	it('replacing a call does not count twice', () => {
		const memory = new TurnMemory();
		for (let i = 0; i < 20; i++) memory.remember(answer(['a'], { reasoning: 'x'.repeat(1_000_000) }), 'q');
		memory.remember(answer(['b']), 'q');
		expect(memory.recall('a', 'q')).toBeDefined();
	});
});
