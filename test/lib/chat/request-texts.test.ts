import type { ChatMessage } from '../../../lib/chat/chat-message';
import { getTextsOfOthers } from '../../../lib/chat/request-texts';
import { toRejection } from '../../../lib/exchange/rejection';
import { createServerError } from '../../../lib/errors/create-error';
import { runTurn } from '../../../lib/chat/turn';
import type { Origin } from '../../../lib/origin';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getError } from '../../support/jest/get-error';
import { NO_EXECUTION } from '../../support/n8n/node-host';
import { json, useServers } from '../../support/servers/scripted-server';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useServers();

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

test('a title leaves out what a server repeats of others, and keeps the words of the author', async () => {
	const titles = [];
	for (const origin of ORIGINS) {
		const text = 'The invoice of llama farm 4711 is due';
		const message = `Cannot tokenize this: ${text}`;
		const server = await start({ 'POST /v1/chat/completions': json({ error: { message } }, 400) });
		const error = await getError(
			runTurn({
				server: createModelServer({ baseUrl: server.url }, NO_EXECUTION),
				settings: PLAIN_SETTINGS,
				chatRequest: { messages: [{ type: 'human', content: [{ block: text, origin }] }] },
			}),
		);
		if (String(error.message).includes(text)) titles.push(origin);
	}
	expect(titles).toEqual(['author', 'node']);
});
