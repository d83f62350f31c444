import type { ChatMessage, ContentPart } from '../../../lib/chat/types';
import { difyPrompt } from '../../../lib/langchain/dify-prompt';

const system: ChatMessage = { role: 'system', content: 'Be brief.' };
const user = (content: string | ContentPart[]): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const picture = { type: 'image' as const, url: 'data:image/png;base64,AAAA' };

const query = (messages: ChatMessage[], systemApart = false) =>
	difyPrompt(messages, { memory: 'n8n', systemApart }).query;

describe('a conversation as one message, remembered in the workflow', () => {
	it('sends one message alone as it is, without labels', () => {
		expect(query([user('What is 2+2?')])).toBe('What is 2+2?');
	});

	it('puts the system messages first, then the history with labels, then the last message', () => {
		expect(query([system, user('Hi'), assistant('Hello!'), user('And now?')])).toBe(
			'Be brief.\n\nUser: Hi\nAssistant: Hello!\n\nAnd now?',
		);
		expect(query([system, user('Hi')])).toBe('Be brief.\n\nHi');
	});

	it('keeps calls and results of tools that are in the history', () => {
		expect(
			query([
				user('Weather?'),
				{
					role: 'assistant',
					content: '',
					toolCalls: [{ id: '1', name: 'weather', arguments: '{}' }],
				},
				{ role: 'tool', toolCallId: '1', content: 'sunny' },
				user('And tomorrow?'),
			]),
		).toBe(
			'User: Weather?\nCall of the tool weather: {}\nResult of a tool: sunny\n\nAnd tomorrow?',
		);
	});

	it('hands over the system message apart, where a variable of the app takes it', () => {
		expect(difyPrompt([system, user('Hi')], { memory: 'n8n', systemApart: true })).toEqual({
			query: 'Hi',
			system: 'Be brief.',
			files: [],
		});
	});

	it('takes the pictures of all messages', () => {
		const { query: text, files } = difyPrompt(
			[user([picture, { type: 'text', text: 'This?' }]), assistant('A cat.'), user('Sure?')],
			{ memory: 'n8n', systemApart: false },
		);
		expect([text, files]).toEqual(['User: This?\nAssistant: A cat.\n\nSure?', [picture]]);
	});

	it('is an error where there is nothing to ask', () => {
		expect(() => query([system])).toThrow('holds no message of a user');
	});
});

describe('a conversation that Dify remembers', () => {
	const remembered = { memory: 'dify', systemApart: false } as const;

	it('sends the last message only', () => {
		expect(
			difyPrompt([system, user('One'), user([{ type: 'text', text: 'Two' }, picture])], remembered),
		).toEqual({
			query: 'Two',
			system: 'Be brief.',
			files: [picture],
		});
	});

	it('D140: refuses a history, which Dify would have twice', () => {
		expect(() =>
			difyPrompt([user('Hi'), assistant('Hello!'), user('And now?')], remembered),
		).toThrow('it would get them twice');
	});
});
