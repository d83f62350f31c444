import { toOllamaBody } from '../../../../lib/chat/body/ollama-body';
import { toMessages } from '../../../support/texts/messages';

test.each([
	{ text: '{"city":"Rome"}', sent: { city: 'Rome' } },
	{ text: '{}', sent: {} },
	{ text: '', sent: {} },
	{ text: 'Rome', sent: {} },
	{ text: '["Rome"]', sent: {} },
])('arguments $text of an earlier call are sent to Ollama as an object', ({ text, sent }) => {
	const toolCalls = [{ id: 'a', name: 'look', arguments: text }];
	const messages = toMessages([{ role: 'assistant', content: 'I look.', toolCalls }]);
	expect(toOllamaBody({ model: 'm', messages, tools: [], sampling: {} }).messages).toEqual([
		{
			role: 'assistant',
			content: 'I look.',
			tool_calls: [{ id: 'a', function: { name: 'look', arguments: sent } }],
		},
	]);
});
