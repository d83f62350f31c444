/** A real Ollama with models created from files: SmolLM2, and one of random weights for vectors. */
import type { Thinking } from '../../lib/chat/settings';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { runModelAction } from '../../lib/servers/model-actions';
import { check } from '../lib/health/support';
import { describeWith } from '../support/jest/describe-if';
import * as fs from 'node:fs';
import { asking, CAT, chat, embeddingsOf, KITTEN, nearness, REVENUE } from './support/clients';
import { createOllamaModel } from './support/ollama';
import {
	connection,
	parts,
	problemOf,
	scriptedFile,
	startServer,
	stopServers,
} from './support/servers';
import { getError } from '../support/jest/get-error';
import { toInput } from '../support/texts/messages';

const { noiseBert, smolLm2 } = parts();

const PATIENCE = { wait: true, timeoutMs: 120_000 };
const repeatWord = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

/** The model for vectors and rankings with the mean as its pooling: Ollama has none for rankings. */
function readMeanBert(): Buffer {
	const bytes = fs.readFileSync(noiseBert);
	const key = 'bert.pooling_type';
	// Four bytes between name and value are its type.
	bytes.writeUInt32LE(1, bytes.indexOf(key) + key.length + 4);
	return bytes;
}

describeWith(problemOf('ollama') ?? smolLm2.problem, 'Ollama', () => {
	let url: string;
	let server: ModelServer;
	beforeAll(async () => {
		const env = { OLLAMA_CONTEXT_LENGTH: '2048', OLLAMA_NUM_PARALLEL: '1' };
		({ url } = await startServer('ollama', [], env));
		await createOllamaModel(url, 'bert', readMeanBert());
		const parameters = { temperature: 0, num_ctx: 1024 };
		await createOllamaModel(url, 'smol', fs.readFileSync(smolLm2.file!), { parameters });
		server = connection(url);
	});
	afterAll(stopServers);

	it('vectors: "cat" is closer to "kitten" than to "revenue"', async () => {
		const client = embeddingsOf(server, { model: 'bert', expectedDimensions: 32 });
		const { vectors, tokens, requests } = await client.embed([CAT, KITTEN, REVENUE], 'document');
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.89, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(0.62, 2);
		expect({ tokens, requests }).toEqual({ tokens: 25, requests: 1 });
	});

	it('a text that is too long is an error that names it, or is truncated', async () => {
		const texts = [CAT, repeatWord(600), KITTEN];
		expect(
			await getError(embeddingsOf(server, { model: 'bert' }).embed(texts, 'document')),
		).toMatchObject({
			type: 'promptTooLong',
			message: expect.stringContaining('Text 2') as string,
		});
		const client = embeddingsOf(server, { model: 'bert', longTexts: 'truncate' });
		const { vectors, truncatedTexts } = await client.embed(texts, 'document');
		expect(truncatedTexts).toMatchObject([{ index: 1 }]);
		expect(nearness(vectors[0]!, vectors[2]!)).toBeCloseTo(0.89, 2);
	});

	it('chat: deltas, finish reason, usage', async () => {
		// The response to a greeting may end with its eighth token.
		const { pieces, answer } = await chat(
			server,
			{ model: 'smol', sampling: { maxTokens: 8 } },
			asking('Tell me a long story about a llama.'),
		);
		expect(pieces.join('')).toBe(answer.text);
		expect(pieces.length).toBeGreaterThan(1);
		expect(answer).toMatchObject({
			finishReason: 'length',
			usage: { completionTokens: 8 },
		});
	});

	it('chat with the native API: context size, keep-alive, Top K, and load time', async () => {
		const settings = { contextSize: 512, keepAlive: '2m', topK: 1, maxTokens: 8 };
		const { pieces, answer } = await chat(server, { model: 'smol', sampling: settings });
		expect(answer.url).toBe(`${url}/api/chat`);
		expect(pieces.join('')).toBe(answer.text);
		expect(answer).toMatchObject({ finishReason: 'length', usage: { completionTokens: 8 } });
		const secondResult = await chat(server, { model: 'smol', sampling: settings });
		expect(secondResult.answer.text).toBe(answer.text);
		const { models } = (await (await fetch(`${url}/api/ps`)).json()) as {
			models: Array<{ name: string; context_length: number }>;
		};
		expect(models.find(({ name }) => name === 'smol:latest')).toMatchObject({
			context_length: 512,
		});
	});

	it('chat with the native API: a message that does not fit into the context', async () => {
		const call = chat(
			server,
			{ model: 'smol', sampling: { contextSize: 512, maxTokens: 8 } },
			{ messages: [toInput({ type: 'human', content: repeatWord(2000) })] },
		);
		expect(await getError(call)).toMatchObject({ type: 'promptTooLong' });
	});

	describe('thinking', () => {
		const think = async (thinking: Thinking) => {
			const messages = [toInput({ type: 'human', content: 'Please think.' })];
			const { answer } = await chat(
				server,
				{ model: 'thinks', sampling: { thinking } },
				{ messages },
			);
			return answer;
		};
		beforeAll(async () => {
			await createOllamaModel(url, 'thinks', fs.readFileSync(await scriptedFile()));
		});

		const lacks = (effort: string, used: string) => [
			`Ollama does not support the thinking effort "${effort}", so "${used}" was used.`,
		];

		it.each<{ thinking: Thinking; warnings: string[] }>([
			{ thinking: { mode: 'on' }, warnings: [] },
			{ thinking: { mode: 'effort', effort: 'minimal' }, warnings: lacks('minimal', 'low') },
			{ thinking: { mode: 'effort', effort: 'low' }, warnings: [] },
			{ thinking: { mode: 'effort', effort: 'medium' }, warnings: [] },
			{ thinking: { mode: 'effort', effort: 'high' }, warnings: [] },
			{ thinking: { mode: 'effort', effort: 'xhigh' }, warnings: lacks('xhigh', 'max') },
			{ thinking: { mode: 'effort', effort: 'max' }, warnings: [] },
		])('$thinking: the thinking stands beside the text', async ({ thinking, warnings }) => {
			expect(await think(thinking)).toMatchObject({
				text: 'I have thought.',
				reasoning: 'Hm\n',
				warnings,
			});
		});

		it.each<Thinking>([{ mode: 'off' }, { mode: 'effort', effort: 'none' }])(
			'%j is accepted, and Ollama leaves the text of a model that thinks all the same as it is',
			async (thinking) => {
				const { text, reasoning, warnings } = await think(thinking);
				expect({ reasoning, warnings }).toEqual({ reasoning: '', warnings: [] });
				expect(text).toMatch(/Hm\n<\/think>\n\nI have thought\.$/);
			},
		);
	});

	it('models are loaded, listed and unloaded', async () => {
		await runModelAction(server, 'load', { model: 'bert', ...PATIENCE });
		const { models, server: found } = await check(url);
		expect(found.type).toBe('ollama');
		expect(models?.find(({ id }) => id === 'bert:latest')).toMatchObject({ state: 'loaded' });
		expect(await runModelAction(server, 'unload', { model: 'bert', ...PATIENCE })).toMatchObject({
			changed: true,
		});
	});
});
