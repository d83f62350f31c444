import { ChatClient } from '../../lib/chat/client';
import type { FinishedAnswer, Thinking } from '../../lib/chat/types';
import { closeChannels } from '../../lib/http/dispatcher';
import { connectTo } from '../../lib/servers/connect';
import { path, process } from '../support/node';
import { type LlamaServer, parts, startLlamaServer, stopEverything } from './support/playground';

/** A chat template with thinking, so that the server parses it and knows its end. */
const TEMPLATE = path.join(process.cwd(), 'test', 'fixtures', 'chatml-thinking.jinja');
const onLimit = (notes: readonly string[]) =>
	notes.filter((note) => note.includes('Thinking Time Limit'));

/** Longer than the thinking takes on any machine. */
const TOKENS = 12_000;

let server: LlamaServer;

beforeAll(async () => {
	server = await startLlamaServer({
		contextSize: 16_384,
		parallel: 1,
		args: ['--chat-template-file', TEMPLATE],
	});
});
afterAll(async () => {
	await stopEverything();
	await closeChannels();
});

async function answerOf(thinking: Thinking, maxTokens = TOKENS): Promise<FinishedAnswer> {
	const answer = new ChatClient(connectTo({ baseUrl: server.url, maxConcurrentRequests: 1 }), {
		model: 'test-model',
		parameters: { seed: 1, maxTokens, temperature: 1, thinking, extraBody: { ignore_eos: true } },
		serverKind: 'llamaServer',
		reasoningEcho: 'off',
		showThinking: false,
		limits: {},
		retries: 0,
	}).generate({ messages: [{ type: 'human', content: 'Think' }] });
	for (;;) {
		const next = await answer.next();
		if (next.done === true) return next.value;
	}
}

test('a model that would think until the end of its answer', async () => {
	expect(parts().tinyModel).toBeTruthy();
	await expect(answerOf({ mode: 'on' }, 300)).rejects.toMatchObject({ kind: 'onlyThinking' });
});

test.each([20, 200])(
	'a limit of %i ms ends its thinking, and the answer begins',
	async (limitMs) => {
		const { text, reasoning, notes } = await answerOf({ mode: 'on', limitMs });
		expect(onLimit(notes)).toEqual([
			expect.stringMatching(/\(Thinking Time Limit\)\. .* and the answer began\.$/),
		]);
		expect(reasoning.length).toBeGreaterThan(0);
		expect(text.length).toBeGreaterThan(reasoning.length);
	},
);

test('a limit that is not reached changes nothing', async () => {
	const { reasoning, notes } = await answerOf(
		{ mode: 'budget', tokens: 20, limitMs: 600_000 },
		300,
	);
	expect(reasoning.length).toBeLessThan(200);
	expect(onLimit(notes)).toEqual([]);
});
