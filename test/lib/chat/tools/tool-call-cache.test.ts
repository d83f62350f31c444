import { cacheToolCalls, toolCallCache } from '../../../../lib/chat/tools/tool-call-cache';
import { forgetAll, KEPT } from '../../../../lib/kept';

beforeEach(forgetAll);
afterEach(() => jest.useRealTimers());

test('calls are kept with the text and thinking before them, unless all of it is long', () => {
	const toolCalls = [{ id: 'one', name: 'a', arguments: '{ }' }];
	const keep = (id: string, length: number) => {
		const half = 'x'.repeat(length / 2 - 8);
		const kept = { text: half, reasoning: half };
		cacheToolCalls({ ...kept, toolCalls: [{ id, name: 'b', arguments: 'y'.repeat(15) }] });
		return toolCallCache.get(id);
	};
	cacheToolCalls({ text: 'Look', reasoning: 'Hm', toolCalls });
	expect(toolCallCache.get('one')).toEqual({
		text: 'Look',
		reasoning: 'Hm',
		name: 'a',
		arguments: '{ }',
	});
	expect(keep('longest', 64 * 1024)).toBeDefined();
	expect(keep('too long', 64 * 1024 + 2)).toBeUndefined();
});

test('the name of a tool that a model invented counts as well', () => {
	const keep = (name: string) => {
		cacheToolCalls({ text: '', reasoning: '', toolCalls: [{ id: 'a', name, arguments: '{}' }] });
		return toolCallCache.get('a')?.name;
	};
	expect(keep('x'.repeat(1_000_000))).toBeUndefined();
	expect(keep('look_up')).toBe('look_up');
});

test('the calls of a thousand long responses take a limited memory, and the last ones stay', () => {
	const bytes = 2 * 60_000;
	const ids = Array.from({ length: 1_000 }, (_none, at) => `call${at}`);
	for (const id of ids) {
		const toolCalls = [{ id, name: 'a', arguments: '' }];
		cacheToolCalls({ text: 'x'.repeat(60_000), reasoning: '', toolCalls });
	}
	const kept = ids.filter((id) => toolCallCache.get(id) !== undefined);
	expect(kept).toEqual(ids.slice(-kept.length));
	expect(kept.length * bytes).toBeLessThanOrEqual(KEPT.toolCalls.maxBytes!);
	expect((kept.length + 2) * bytes).toBeGreaterThan(KEPT.toolCalls.maxBytes!);
});

test('a call is kept for an hour after its last use', () => {
	jest.useFakeTimers();
	const toolCalls = [{ id: 'a', name: 'b', arguments: '{ }' }];
	cacheToolCalls({ text: 'Look', reasoning: '', toolCalls });
	for (let round = 0; round < 3; round++) {
		jest.advanceTimersByTime(KEPT.toolCalls.ttlMs - 1);
		expect(toolCallCache.get('a')?.arguments).toBe('{ }');
	}
	jest.advanceTimersByTime(KEPT.toolCalls.ttlMs);
	expect(toolCallCache.get('a')).toBeUndefined();
});
