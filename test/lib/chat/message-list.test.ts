import { messagesFromJson } from '../../../lib/chat/message-list';
import { convertMessages } from '../../../lib/chat/conversation';

test('messages in the form of OpenAI, as a list, as JSON text, or as the whole request', () => {
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
	const read = messagesFromJson(list);
	expect(read.map(({ type }) => type)).toEqual(['system', 'human', 'ai']);
	expect(read[2]).toMatchObject({ content: 'A cat.', reasoning: 'Whiskers.' });
	expect(messagesFromJson(JSON.stringify(list))).toEqual(read);
	expect(messagesFromJson({ model: 'x', messages: list })).toEqual(read);
	expect(convertMessages(read, { reasoning: 'off' })[1]).toMatchObject({
		role: 'user',
		content: [{ type: 'text' }, { type: 'image', url: 'https://a/b.png' }],
	});
});

test('pictures of Ollama: bare base64 beside the text', () => {
	const [message] = messagesFromJson([
		{ role: 'user', content: 'What?', images: ['/9j/4AAQ', 'iVBORw0K'] },
	]);
	expect(convertMessages([message!], { reasoning: 'off' })).toEqual([
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
	['{"role":', 'not a JSON list'],
	[42, 'not a JSON list'],
	[[1], 'Message 1 is not a JSON object'],
	[[{ content: 'x' }], 'Message 1 has no role'],
	[
		[
			{ role: 'user', content: 'x' },
			{ role: 'robot', content: 'x' },
		],
		'Message 2 has the role "robot"',
	],
	[[{ role: 'user' }], 'Message 1 has no content'],
])('%j is refused with its type', (given, message) => {
	expect(() => messagesFromJson(given)).toThrow(message);
});
