import { parseMessages } from '../../../../lib/chat/prepare/parse-messages';
import { convertMessages } from '../../../../lib/chat/prepare/convert-messages';
import { toShort } from '../../../support/texts/messages';

const CALL = { id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } };

test('OpenAI messages as a list, as JSON text, or as a complete request', () => {
	const list = [
		{ role: 'developer', content: 'Be brief.' },
		{
			role: 'user',
			content: [
				{ type: 'text', text: 'What is it?' },
				{ type: 'image_url', image_url: { url: 'https://a/b.png' } },
			],
		},
		{ role: 'assistant', content: 'A cat.', reasoning_content: 'Whiskers.' },
	];
	const messages = parseMessages(list, 'user');
	expect(messages.map(({ type }) => type)).toEqual(['system', 'human', 'ai']);
	expect(messages[2]).toMatchObject({
		content: [{ block: 'A cat.', origin: 'model' }],
		reasoning: 'Whiskers.',
	});
	expect(parseMessages(JSON.stringify(list), 'user')).toEqual(messages);
	expect(parseMessages({ model: 'x', messages: list }, 'user')).toEqual(messages);
	expect(convertMessages(messages, 'never')[1]).toMatchObject({
		role: 'user',
		content: [{ type: 'text' }, { type: 'image', url: 'https://a/b.png' }],
	});
});

test.each([
	['User', 'human'],
	[' USER ', 'human'],
	['Assistant', 'ai'],
	['SYSTEM\n', 'system'],
	['Developer', 'system'],
	['Tool', 'tool'],
])('the role %j is %s, in any letters', (role, type) => {
	expect(parseMessages([{ role, content: 'Hi' }], 'user')).toMatchObject([{ type }]);
});

test('tool calls and results, with arguments as text or as an object (Ollama)', () => {
	for (const args of ['{"a":1}', { a: 1 }]) {
		const messages = parseMessages(
			[
				{ role: 'user', content: 'Add.' },
				{
					role: 'assistant',
					content: null,
					tool_calls: [{ ...CALL, function: { name: 'add', arguments: args } }],
				},
				{ role: 'tool', tool_call_id: 'c1', content: '2' },
			],
			'user',
		);
		expect(messages[1]!.toolCalls).toEqual([{ id: 'c1', name: 'add', args: { a: 1 } }]);
		expect(messages[2]).toMatchObject({
			type: 'tool',
			toolCallId: 'c1',
			content: [{ block: '2', origin: 'foreign' }],
		});
	}
});

test('tool calls and results without IDs (Ollama) belong together by their order', () => {
	const called = (name: string) => ({ function: { name, arguments: {} } });
	const messages = parseMessages(
		[
			{ role: 'user', content: 'Both?' },
			{ role: 'assistant', content: '', tool_calls: [called('add'), called('find')] },
			{ role: 'tool', tool_name: 'add', content: '2' },
			{ role: 'tool', tool_name: 'find', content: 'it' },
		],
		'user',
	);
	expect(convertMessages(messages, 'never').slice(2)).toMatchObject([
		{ role: 'tool', name: 'add', content: '2' },
		{ role: 'tool', name: 'find', content: 'it' },
	]);
});

test('images of Ollama, which are base64 next to the text', () => {
	const [message] = parseMessages(
		[{ role: 'user', content: 'What?', images: ['/9j/4AAQ', 'iVBORw0K'] }],
		'user',
	);
	expect(toShort(convertMessages([message!], 'never'))).toEqual([
		{
			role: 'user',
			content: [
				{ type: 'text', text: 'What?' },
				{ type: 'image', url: 'data:image/jpeg;base64,/9j/4AAQ' },
				{ type: 'image', url: 'data:image/png;base64,iVBORw0K' },
			],
		},
	]);
});

test.each([
	{ name: 'cut JSON', given: '{"role":', reason: 'The messages are not a JSON array' },
	{ name: 'a number', given: 42, reason: 'The messages are not a JSON array' },
	{ name: 'a list of numbers', given: [1], reason: 'Message 1 is not a JSON object' },
	{ name: 'a message without a role', given: [{ content: 'x' }], reason: 'Message 1 has no role' },
	{
		name: 'a message with an unknown role',
		given: [
			{ role: 'user', content: 'x' },
			{ role: 'robot', content: 'x' },
		],
		reason: 'Message 2 has the unknown role "robot". Valid roles: system, user, assistant, tool',
	},
	{
		name: 'a message without content',
		given: [{ role: 'user' }],
		reason: 'Message 1 has no content',
	},
	{
		name: 'a call without a name',
		given: [{ role: 'assistant', tool_calls: [{ function: { arguments: '{}' } }] }],
		reason: 'Message 1 contains a tool call without a name',
	},
	{
		name: 'a call with arguments that are not JSON',
		given: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '[' } }] }],
		reason: 'Message 1 contains a call to "f" whose arguments are not a JSON object',
	},
])('$name is rejected: $reason', ({ given, reason }) => {
	expect(() => parseMessages(given, 'user')).toThrow(reason);
});
