import fc from 'fast-check';

import { ChatClient } from '../../../lib/chat/client';
import { closeChannels } from '../../../lib/http/dispatcher';
import { clearSharedCaches } from '../../../lib/lru-cache';
import { connectTo } from '../../../lib/servers/connect';
import { readToEnd } from '../../../lib/generators';
import { optional } from '../../../lib/values';
import {
	delta,
	events,
	json,
	type ScriptedServer,
	sse,
	startScripted,
} from '../../servers/scripted';
import { examples } from '../../support/properties';
import { PLAIN_SETTINGS } from './chat-settings';

let server: ScriptedServer;
let owner: string;
let tokens: number;
/** The deltas of a streamed answer without token counts; undefined for a whole answer with them. */
let deltas: object[] | undefined;

beforeEach(async () => {
	clearSharedCaches();
	deltas = undefined;
	server = await startScripted(({ path }, response) => {
		if (path === '/v1/models') return json(response, { data: [{ id: 'm', owned_by: owner }] });
		if (path !== '/v1/chat/completions') return json(response, { detail: 'Not Found' }, 404);
		if (deltas !== undefined) {
			const pieces = [{ role: 'assistant' }, ...deltas].map((piece) => delta(piece));
			return events(response, sse(...pieces, delta({}, 'stop'), '[DONE]'));
		}
		const message = { role: 'assistant', content: 'Hi' };
		json(response, {
			object: 'chat.completion',
			choices: [{ index: 0, message, finish_reason: 'stop' }],
			usage: { prompt_tokens: 1, completion_tokens: tokens, total_tokens: 1 + tokens },
		});
	});
});
afterEach(async () => {
	await closeChannels();
	await server.close();
});

async function answer(maxTokens: number | undefined) {
	const parameters = optional({ maxTokens });
	const client = new ChatClient(connectTo({ baseUrl: server.url }), {
		...PLAIN_SETTINGS,
		model: 'm',
		parameters,
	});
	return await readToEnd(client.generate({ messages: [{ type: 'human', content: 'Hi' }] }));
}

describe('a server that says "stop" also where the limit of tokens ended the answer', () => {
	it.each<[number | undefined, number, boolean]>([
		[8, 7, false],
		[8, 8, true],
		[undefined, 16, false],
	])(
		'any other with Maximum Tokens %s and %i tokens: doubted is %s',
		async (maxTokens, count, isDoubted) => {
			owner = 'me';
			tokens = count;
			const { finishReason, notes } = await answer(maxTokens);
			expect(finishReason).toBe('stop');
			expect(notes.some((note) => note.includes('may have been cut off'))).toBe(isDoubted);
		},
	);

	test('fast-check: one that counts no tokens is doubted where as many pieces came', async () => {
		owner = 'me';
		const piece = fc.constantFrom(
			{ content: 'a ' },
			{ reasoning_content: 'hm ' },
			{ content: '' },
			{},
		);
		const some = fc.array(piece, { maxLength: 12 });
		await fc.assert(
			fc.asyncProperty(some, fc.integer({ min: 1, max: 12 }), async (before, maxTokens) => {
				deltas = [...before, { content: 'b' }];
				const { notes } = await answer(maxTokens);
				const words = deltas.filter((sent) => Object.values(sent).join('') !== '');
				expect(notes.filter((note) => note.includes('just as many pieces'))).toHaveLength(
					words.length === maxTokens ? 1 : 0,
				);
			}),
			examples(60),
		);
	});
});
