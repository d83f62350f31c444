/** Texts of a conversation that are too long: which are errors, and which are cut. */
import {
	assertShortConversation,
	assertShortTexts,
	cutResults,
} from '../../../../lib/chat/prepare/limit-texts';
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import { MAX_TEXT_BYTES, TASK_LIMITS } from '../../../../lib/task-limits';
import { toInputs, toMessage, toMessages } from '../../../support/texts/messages';
import type { ShortMessage } from '../../../support/texts/messages';

const FITTING = 'x'.repeat(MAX_TEXT_BYTES);
const LONG = `${FITTING}x`;

/** The title of the error; undefined without one. */
const getTitle = (act: () => unknown) => {
	try {
		act();
		return undefined;
	} catch (error) {
		const { type, message } = asServerErrorOrThrow(error);
		return `${type}: ${message}`;
	}
};

const EXCESS = expect.stringContaining('2 MB') as unknown;

describe('a message', () => {
	test.each([
		{ type: 'system', subject: 'The system message' },
		{ type: 'human', subject: 'A message of the user' },
		{ type: 'ai', subject: 'A message of the assistant' },
	] as const)('$type is an error beyond 2 MB, as a text and in a block', ({ type, subject }) => {
		const check = (content: unknown) =>
			getTitle(() =>
				assertShortTexts(
					toInputs([
						{ type: 'human', content: 'Hi' },
						{ type, content },
					]),
				),
			);
		for (const wrap of [
			(text: string) => text,
			(text: string) => ['Hi', text],
			(text: string) => [
				{ type: 'text', text: 'Hi' },
				{ type: 'text', text },
			],
		]) {
			expect(check(wrap(FITTING))).toBeUndefined();
			expect(check(wrap(LONG))).toEqual(EXCESS);
			expect(check(wrap(LONG))).toContain(`invalidInput: ${subject}`);
		}
	});

	test('with media is not long, whatever their data', () => {
		const content = [{ type: 'image_url', image_url: { url: LONG } }];
		expect(
			getTitle(() => assertShortTexts(toInputs([{ type: 'human', content }]))),
		).toBeUndefined();
	});

	test('with the result of a tool is no error: it is cut', () => {
		expect(
			getTitle(() => assertShortTexts(toInputs([{ type: 'tool', content: LONG }]))),
		).toBeUndefined();
	});
});

test('only results beyond 2 MB are cut, each with a warning, and the others stay as they are', () => {
	const messages = toMessages([
		{ role: 'user', content: LONG },
		{ role: 'tool', name: 'first', toolCallId: '1', content: LONG },
		{ role: 'tool', name: 'second', toolCallId: '2', content: FITTING },
		{ role: 'tool', name: 'third', toolCallId: '3', content: `${LONG}x` },
	] as ShortMessage[]);
	const before = messages.map((message) => ({ ...message }));
	const cut = cutResults(messages);
	expect(messages).toEqual(before);
	expect(cut.messages.map((message, index) => message === messages[index])).toEqual([
		true,
		false,
		true,
		false,
	]);
	expect(cut.messages.map((message) => cut.warnings.get(message))).toEqual([
		undefined,
		expect.stringMatching(
			/^The result of the tool "first" .*2 MB.*\. The model got its beginning\.$/,
		),
		undefined,
		expect.stringContaining('"third"'),
	]);
	const [, first] = cut.messages;
	expect(first).toMatchObject({ role: 'tool', name: 'first', toolCallId: '1' });
	const content = String(first!.content);
	const [beginning = '', end] = content.split('\n');
	expect(beginning === FITTING).toBe(true);
	expect(end).toMatch(/^\[Cut: the result .*2 MB.*\]$/);
});

describe('a conversation', () => {
	const limit = TASK_LIMITS.chat.sentBytes;
	const HALF = 'x'.repeat(limit / 2);
	test.each([
		{
			title: 'texts',
			messages: [
				{ role: 'user', content: HALF },
				{ role: 'assistant', content: HALF },
			],
		},
		{
			title: 'a text, and thinking',
			messages: [{ role: 'assistant', content: HALF, reasoning: HALF }],
		},
		{
			title: 'a text, and arguments',
			messages: [
				{
					role: 'assistant',
					content: '',
					toolCalls: [
						{ id: '1', name: 'a', arguments: HALF },
						{ id: '2', name: 'a', arguments: HALF },
					],
				},
			],
		},
		{
			title: 'wide characters',
			messages: [{ role: 'tool', name: 'a', toolCallId: '1', content: 'ü'.repeat(limit / 2) }],
		},
	])('of $title counts with all of it', ({ messages }) => {
		const all = toMessages(messages as ShortMessage[]);
		expect(getTitle(() => assertShortConversation(all))).toBeUndefined();
		const more = [...all, toMessage({ role: 'user', content: 'x' })];
		expect(getTitle(() => assertShortConversation(more))).toEqual(
			expect.stringMatching(/^invalidInput: The conversation .*4 MB/),
		);
	});
});
