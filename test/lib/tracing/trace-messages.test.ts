import { stringifyMessages } from '../../../lib/tracing/trace-messages';
import type { TracedMessage } from '../../../lib/tracing/trace-messages';

const trace = (...messages: TracedMessage[]) =>
	JSON.parse(stringifyMessages(messages)) as Array<{ role: string; parts: object[] }>;

test('a message has its thinking, texts and calls in this order; of files only the type', () => {
	expect(
		trace(
			{
				role: 'user',
				content: [
					{ type: 'text', text: 'Look' },
					{ type: 'image_url' },
					{ type: 'text', text: '' },
					{ type: 'text', text: 'again' },
				],
			},
			{
				role: 'assistant',
				content: 'I look.',
				reasoning: 'A cat?',
				toolCalls: [
					{ id: 'a', name: 'see', arguments: '{"n":1}' },
					{ id: 'b', name: 'hear', arguments: '{}' },
				],
				finishReason: 'tool_calls',
			},
			{ role: 'tool', content: 'A cat.', toolCallId: 'a' },
			{ role: 'tool', content: [{ type: 'image_url' }], toolCallId: 'b' },
		),
	).toEqual([
		{
			role: 'user',
			parts: [
				{ type: 'text', content: 'Look' },
				{ type: 'image_url' },
				{ type: 'text', content: 'again' },
			],
		},
		{
			role: 'assistant',
			parts: [
				{ type: 'reasoning', content: 'A cat?' },
				{ type: 'text', content: 'I look.' },
				{ type: 'tool_call', id: 'a', name: 'see', arguments: '{"n":1}' },
				{ type: 'tool_call', id: 'b', name: 'hear', arguments: '{}' },
			],
			finish_reason: 'tool_calls',
		},
		{ role: 'tool', parts: [{ type: 'tool_call_response', id: 'a', response: 'A cat.' }] },
		{ role: 'tool', parts: [{ type: 'tool_call_response', id: 'b', response: '' }] },
	]);
});

test('of a conversation that is too long, the end stays: whole messages, and the end of the one before', () => {
	const word = 'word ';
	const long = word.repeat(18_000);
	const last = { role: 'assistant', content: 'Yes.' };
	for (const content of [long, [{ type: 'text', text: long }, { type: 'image_url' }]]) {
		const [first, second, ...more] = trace(
			{ role: 'user', content: 'Dropped' },
			{ role: 'user', content },
			{ role: 'user', content: long },
			last,
		);
		const [{ content: text }] = first!.parts as [{ content: string }];
		expect(text).toMatch(/^(?:word )+(?:word)?$/);
		expect(text.length).toBeGreaterThan(9_000);
		expect(text.length).toBeLessThan(10_000);
		expect(second!.parts).toEqual([{ type: 'text', content: long }]);
		expect(more).toEqual([{ role: 'assistant', parts: [{ type: 'text', content: 'Yes.' }] }]);
	}
});
