import { cacheToolCalls, toolCallCache } from '../../../../lib/chat/tools/tool-call-cache';

test('calls are kept with the text and thinking before them, unless all of it is long', () => {
	const toolCalls = [{ id: 'one', name: 'a', arguments: '{ }' }];
	const keep = (id: string, length: number) => {
		const half = 'x'.repeat(length / 2 - 8);
		const kept = { text: half, reasoning: half };
		cacheToolCalls({ ...kept, toolCalls: [{ id, name: 'b', arguments: 'y'.repeat(16) }] });
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
