import * as fc from 'fast-check';

import { trimHistory } from '../../../lib/chat/trim-history';
import type { ChatMessage } from '../../../lib/chat/types';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const system: ChatMessage = { role: 'system', content: 'Be brief. '.repeat(100) };

/** A turn of so many tokens. */
const turn = (size: number): ChatMessage[] => [
	user('Why'),
	{ role: 'assistant', content: 'word'.repeat(size - 1) },
];

test('a history that fits is sent unchanged', () => {
	const messages = [system, ...turn(10), ...turn(10), user('And now?')];
	expect(trimHistory(messages, 20)).toEqual({ messages, omittedTurns: 0 });
});

test('the oldest turns are omitted completely', () => {
	const withTool: ChatMessage[] = [
		user('Weather?'),
		{ role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'w', arguments: '{}' }] },
		{ role: 'tool', name: 'f', toolCallId: '1', content: 'word '.repeat(20) },
		{ role: 'assistant', content: 'Fine.' },
	];
	const fitted = trimHistory([system, ...withTool, ...turn(10), user('And now?')], 20);
	expect(fitted).toEqual({ messages: [system, ...turn(10), user('And now?')], omittedTurns: 1 });
});

test('the current turn stays, however long it is', () => {
	const current: ChatMessage[] = [
		user('word '.repeat(500)),
		{ role: 'assistant', content: 'word '.repeat(500) },
	];
	expect(trimHistory([system, ...turn(10), ...current], 1)).toEqual({
		messages: [system, ...current],
		omittedTurns: 1,
	});
});

test('images count', () => {
	const image: ChatMessage = { role: 'user', content: [{ type: 'image', url: 'data:,' }] };
	const response: ChatMessage = { role: 'assistant', content: 'A cat.' };
	expect(trimHistory([image, response, user('Now?')], 500).omittedTurns).toBe(1);
});

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
				const input = shape.map(
					([of, size], at) => ({ role: of, content: `m${at} `.repeat(size) }) as ChatMessage,
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
	expect(fitted).toEqual({ messages: current, omittedTurns: 1 });
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
	const called: ChatMessage = { role: 'assistant', content: '', toolCalls: [call] };
	expect(trimHistory([user('Why'), called, user('Now?')], 40).omittedTurns).toBe(1);
});
