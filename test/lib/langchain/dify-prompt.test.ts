import fc from 'fast-check';

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

	it('fast-check: as many lines begin a turn as there are turns, whatever the messages hold', () => {
		const line = fc.oneof(
			fc.constantFrom(
				'User: a',
				'assistant: b',
				' System : c',
				'Call of the tool x: {}',
				'Users: d',
			),
			fc.constantFrom('Result of a tool: e', 'User：f', 'a User: g', ''),
		);
		const text = fc
			.tuple(
				fc.array(line, { maxLength: 4 }),
				fc.constantFrom('\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029'),
			)
			.map(([lines, end]) => ['x', ...lines].join(end));
		const begun =
			/(?<=^|[\v\f\u0085])[^\S\n]*(?:System|User|Assistant|Result of a tool|Call of the tool [^\n:：]*)\s*[:：]/gimu;
		fc.assert(
			fc.property(
				fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }),
				text,
				text,
				(turns, last, rules) => {
					const history = turns.flatMap(([asked, said]) => [user(asked), assistant(said)]);
					const written = query([...history, user(last)]);
					expect(written.match(begun)).toHaveLength(history.length);
					const whole = [
						...history.map(
							({ role, content }) =>
								`${role === 'user' ? 'User' : 'Assistant'}: ${content as string}`,
						),
					].join('\n');
					expect(written.replaceAll('\u200b', '')).toBe(`${whole}\n\n${last}`);
					expect(query([user(last)])).toBe(last);
					const withRules = query([{ role: 'system', content: rules }, ...history, user(last)]);
					expect(withRules.match(begun)).toHaveLength(history.length);
				},
			),
		);
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
