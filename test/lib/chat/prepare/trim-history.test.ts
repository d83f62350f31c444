import * as fc from 'fast-check';

import { trimHistory } from '../../../../lib/chat/prepare/trim-history';
import type { ChatMessage } from '../../../../lib/chat/chat-message';
import type { MediaPart } from '../../../../lib/files/read-file';
import { toMessage } from '../../../support/texts/messages';
import type { ShortMessage } from '../../../support/texts/messages';

const user = (content: string) => toMessage({ role: 'user', content });
const model = (content: string) => toMessage({ role: 'assistant', content });
const system = toMessage({ role: 'system', content: 'Be brief. '.repeat(100) });

/** A turn of so many tokens. */
const turn = (size: number): ChatMessage[] => [user('Why'), model('word'.repeat(size - 1))];

test.each(['image', 'audio', 'video'] as const)(
	'each file of a message counts a thousand tokens: %s',
	(type) => {
		const part = { type, url: 'data:,', data: '', format: 'wav' } as MediaPart;
		for (const count of [1, 2, 5]) {
			const content = Array<MediaPart>(count).fill(part);
			const messages: ChatMessage[] = [{ role: 'user', content }, model('A cat.'), user('Now?')];
			const fits = [-1, 1].map((side) => {
				const budget = 1_000 * count + side * 500;
				return { budget, omittedTurns: trimHistory(messages, budget).omittedTurns };
			});
			expect(fits).toEqual([
				{ budget: 1_000 * count - 500, omittedTurns: 1 },
				{ budget: 1_000 * count + 500, omittedTurns: 0 },
			]);
		}
	},
);

test('any history is trimmed to the budget, by at most a quarter more, and keeps the system message and last turn', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 2, max: 60 }), { maxLength: 30 }),
			fc.integer({ min: 1, max: 400 }),
			(sizes, budget) => {
				const turns = sizes.map(turn);
				const last = user('And now?');
				const { messages, omittedTurns } = trimHistory([system, ...turns.flat(), last], budget);
				expect(messages).toEqual([system, ...turns.slice(omittedTurns).flat(), last]);
				const left = sizes.slice(omittedTurns).reduce((sum, size) => sum + size, 0);
				expect(left).toBeLessThanOrEqual(budget);
				if (omittedTurns > 0)
					expect(left + sizes[omittedTurns - 1]! + budget / 4).toBeGreaterThanOrEqual(budget);
			},
		),
	);
});

const role = fc.constantFrom<ChatMessage['role']>('system', 'user', 'user', 'assistant', 'tool');

test('messages in any order keep their order, and no response or result is kept without its question', () => {
	fc.assert(
		fc.property(
			fc.array(fc.tuple(role, fc.integer({ min: 0, max: 9 })), { maxLength: 30 }),
			fc.integer({ min: 1, max: 60 }),
			(shape, budget) => {
				const input = shape.map(([of, size], at) =>
					toMessage({ role: of, content: `m${at} `.repeat(size) } as ShortMessage),
				);
				const { messages } = trimHistory(input, budget);
				expect(messages).toEqual(input.filter((message) => messages.includes(message)));
				const omitted = input.filter((message) => !messages.includes(message));
				expect(omitted.filter((message) => message.role === 'system')).toEqual([]);
				if (omitted.length === 0) return;
				const conversation = input.filter((message) => message.role !== 'system');
				const first = conversation[omitted.length]!;
				expect([first.role, conversation[omitted.length - 1]!.role === 'user']).toEqual([
					'user',
					false,
				]);
				expect(conversation.slice(omitted.length)).toEqual(
					messages.filter((message) => message.role !== 'system'),
				);
			},
		),
	);
});

test('a question in two messages, such as one with a text file, is one turn', () => {
	const current = [user('What does it say?'), user('The file')];
	const fitted = trimHistory([...turn(9), ...current], 1);
	expect(fitted).toEqual({ messages: current, omittedTurns: 1, shortenedResults: 0 });
});

test('over sixty rounds the beginning of the prompt changes only a few times', () => {
	const beginnings: Array<ChatMessage | undefined> = [];
	for (let round = 1; round <= 60; round++) {
		const turns = Array.from({ length: round }, (_, at) => [
			user(`Question ${at}`),
			...turn(10).slice(1),
		]);
		beginnings.push(trimHistory([...turns.flat(), user('Now?')], 100).messages[0]);
	}
	const changes = beginnings.filter(
		(first, at) => at > 0 && JSON.stringify(first) !== JSON.stringify(beginnings[at - 1]),
	);
	// Fifty turns are omitted in total, a quarter of the budget each time: every second or third round.
	expect(changes.length).toBeLessThanOrEqual(25);
	expect(changes.length).toBeGreaterThan(10);
});

test('tool calls count', () => {
	const call = { id: '1', name: 'w', arguments: `{"a":"${'word'.repeat(40)}"}` };
	const called = toMessage({ role: 'assistant', content: '', toolCalls: [call] });
	expect(trimHistory([user('Why'), called, user('Now?')], 40).omittedTurns).toBe(1);
});

describe('old tool results are shortened before turns are omitted', () => {
	const question = (text: string, result: string): ChatMessage[] => [
		user(text),
		toMessage({
			role: 'assistant',
			content: '',
			toolCalls: [{ id: text, name: 'w', arguments: '{}' }],
		}),
		toMessage({ role: 'tool', name: 'w', toolCallId: text, content: result }),
		model('Fine.'),
	];
	const result = (length: number) => 'word '.repeat(length / 5);
	const getResults = (messages: readonly ChatMessage[]) =>
		messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []));

	test('one long result costs no question', () => {
		const history = [...turn(20), ...question('Weather?', result(12_000)), ...turn(20)];
		const trimmed = trimHistory([system, ...history, user('Now?')], 1_000);
		expect(trimmed).toMatchObject({ omittedTurns: 0, shortenedResults: 1 });
		expect(trimmed.messages).toHaveLength(history.length + 2);
		expect(getResults(trimmed.messages)).toEqual([
			`${result(500)}\n[Shortened to fit the history: 11500 more characters were omitted]`,
		]);
	});

	test('the oldest ones first, as many as necessary', () => {
		const history = ['A', 'B', 'C'].flatMap((text) => question(text, result(4_000)));
		const { messages, shortenedResults } = trimHistory([...history, user('Now?')], 2_500);
		expect(shortenedResults).toBe(1);
		expect(getResults(messages).map((content) => content.length > 3_000)).toEqual([
			false,
			true,
			true,
		]);
	});

	test('no turn is omitted while a result of an earlier turn is still long', () => {
		const lengths = fc.array(fc.integer({ min: 1_000, max: 8_000 }), {
			minLength: 1,
			maxLength: 8,
		});
		fc.assert(
			fc.property(lengths, fc.integer({ min: 100, max: 6_000 }), (list, budget) => {
				const history = list.flatMap((length, at) => question(`Q${at}`, 'x'.repeat(length)));
				const { messages, omittedTurns } = trimHistory([...history, user('Now?')], budget);
				const long = getResults(messages).filter((content) => content.length > 1_000);
				expect({ omittedTurns, long: omittedTurns > 0 ? long.length : 0 }).toEqual({
					omittedTurns,
					long: 0,
				});
			}),
		);
	});

	test('turns are omitted if shortened results are not enough', () => {
		const history = ['A', 'B', 'C'].flatMap((text) => question(text, result(4_000)));
		const trimmed = trimHistory([...history, user('Now?')], 300);
		expect(trimmed).toMatchObject({ omittedTurns: 2, shortenedResults: 1 });
	});

	test('a result of the current turn stays, and so does a short one', () => {
		const current = question('Now?', result(12_000));
		const history = [...question('A', result(1_000)), ...turn(400)];
		const { messages, shortenedResults } = trimHistory([...history, ...current], 100);
		expect([messages, shortenedResults]).toEqual([current, 0]);
	});

	test('only results are shortened, not long messages of users or the model', () => {
		const long = [user('x'.repeat(4_000)), model('y'.repeat(4_000))];
		const history = [...long, ...question('A', result(4_000))];
		const trimmed = trimHistory([...history, user('Now?')], 2_500);
		expect(trimmed).toMatchObject({ omittedTurns: 0, shortenedResults: 1 });
		expect(trimmed.messages.slice(0, 2)).toEqual(long);
	});

	test('a result that a memory keeps in a message of the model is shortened, too', () => {
		const content = `[Used tools: w] ${result(4_000)}`;
		const kept = toMessage({ role: 'assistant', content, origin: 'foreign' });
		const trimmed = trimHistory([user('Weather?'), kept, user('Now?')], 500);
		expect(trimmed).toMatchObject({ omittedTurns: 0, shortenedResults: 1 });
		expect(trimmed.messages[1]!.content).toMatch(/^\[Used tools: w\] .{480,490}\n\[Shortened/s);
	});

	test.each([
		{ length: 1_000, shortenedResults: 0 },
		{ length: 1_001, shortenedResults: 1 },
	])('a result of $length characters: $shortenedResults', ({ length, shortenedResults }) => {
		const history = question('A', 'x'.repeat(length));
		expect(trimHistory([...history, user('Now?')], 240)).toMatchObject({ shortenedResults });
	});

	test.each([
		{ name: 'cut', text: `${'x'.repeat(499)}${'😀'.repeat(2_000)}`, start: /^x{499}\n\[Shortened/ },
		{ name: 'before the cut', text: `😀${'x'.repeat(2_000)}`, start: /^😀x{498}\n\[Shortened/ },
	])('a character of two units stays whole: $name', ({ text, start }) => {
		const history = question('A', text);
		const [content = ''] = getResults(trimHistory([...history, user('Now?')], 400).messages);
		expect(content).toMatch(start);
	});

	test('the beginning of a growing conversation stays the same between the steps', () => {
		let previous: ChatMessage[] = [];
		let changes = 0;
		for (let count = 1; count <= 40; count++) {
			const history = Array.from({ length: count }, (_, at) => question(`Q${at}`, result(2_000)));
			const { messages } = trimHistory([...history.flat(), user('Now?')], 4_000);
			const before = previous.slice(0, -1);
			if (JSON.stringify(messages.slice(0, before.length)) !== JSON.stringify(before)) changes += 1;
			previous = messages;
		}
		expect(changes).toBeLessThan(20);
	});
});

test('the images of a tool belong to the turn of its call', () => {
	const images = toMessage({
		role: 'user',
		content: [
			{ type: 'text', text: 'The images from the results above:', origin: 'node' },
			{ type: 'image', url: 'data:,' },
		],
	});
	const call = toMessage({
		role: 'assistant',
		content: '',
		toolCalls: [{ id: '1', name: 'w', arguments: '{}' }],
	});
	const result = toMessage({
		role: 'tool',
		name: 'w',
		toolCallId: '1',
		content: 'x'.repeat(2_000),
	});
	const current = [user('Now?'), call, result, images];
	expect(trimHistory([...turn(20), ...current], 1)).toEqual({
		messages: current,
		omittedTurns: 1,
		shortenedResults: 0,
	});
});
