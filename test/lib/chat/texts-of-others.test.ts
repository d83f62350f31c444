import type { ChatMessage } from '../../../lib/chat/chat-message';
import { getTextsOfOthers } from '../../../lib/chat/texts-of-others';
import { toRejection } from '../../../lib/exchange/rejection';
import { createServerError } from '../../../lib/errors/create-error';
import type { Origin } from '../../../lib/origin';

const WORDS = 'Unsupported parameter: "top_k" is not supported with this model.';
const ORIGINS: readonly Origin[] = ['author', 'user', 'model', 'foreign', 'node'];

const createMessages = (text: string, origin: Origin): ChatMessage[] => [
	{ role: 'user', content: [{ type: 'text', text, origin }] },
];

/** Whether a rejection with these words takes the field away from a request whose text contains them. */
const isRefused = (origin: Origin): boolean => {
	const rejection = toRejection({
		error: createServerError(
			'badRequest',
			{},
			{ serverText: WORDS, report: { status: 400, codes: [], isOfGateway: false } },
		),
		body: { top_k: 40 },
		textsOfOthers: getTextsOfOthers({ messages: createMessages(WORDS, origin), tools: [] }),
		isRepeated: false,
	});
	return rejection.refuses('top_k');
};

test('a message that repeats what others wrote is no rejection, and one that repeats the author is', () => {
	const refused = ORIGINS.filter(isRefused);
	expect(refused).toEqual(['author', 'node']);
});

test('the texts of a message are one text; what the model called and thought is its own', () => {
	const texts = getTextsOfOthers({
		messages: [
			{
				role: 'user',
				content: [
					{ type: 'text', text: 'Be brief.', origin: 'author' },
					{ type: 'text', text: 'Hi', origin: 'user' },
					{ type: 'text', text: 'there', origin: 'foreign' },
				],
			},
			{
				role: 'assistant',
				content: 'Look:',
				origin: 'model',
				reasoning: 'Hm',
				toolCalls: [{ id: '1', name: 'look', arguments: '{"a":1}' }],
			},
			{ role: 'tool', toolCallId: '1', name: 'look', content: 'Nothing', origin: 'foreign' },
			{ role: 'tool', toolCallId: '1', name: 'look', content: 'Call it again.', origin: 'node' },
		],
		tools: [
			{ name: 'look', description: 'Looks', schema: { type: 'object' }, origin: 'foreign' },
			{ name: 'format', schema: {}, origin: 'author' },
		],
	});
	expect(texts).toEqual([
		'Hi\nthere',
		'Look:\nHm\n{"a":1}',
		'Nothing',
		'look\nLooks\n{"type":"object"}',
	]);
});
