/** A real LiteLLM proxy in front of a real llama-server that chats, embeds and reranks. */
import type { ModelServer } from '../../lib/servers/types/server-type';
import { listModels } from '../../lib/servers/list-models';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/jest/describe-if';
import * as fs from 'node:fs';
import path from 'node:path';
import {
	asking,
	CAT,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	KITTEN,
	nearness,
	rerankOf,
	REVENUE,
	WEATHER_TOOL,
} from './support/clients';
import {
	connection,
	CONTEXT,
	parts,
	problemOf,
	scriptedFile,
	startRouter,
	startServer,
	stopServers,
	workFolder,
} from './support/servers';
import { getError } from '../support/jest/get-error';

const { llamaServer, noiseBert } = parts();
const KEY = 'sk-test';
const MODELS = ['local-chat', 'local-embed', 'local-rank', 'local-vectors'];

/** Its YAML settings, written as JSON. */
function writeConfig(behind: string): string {
	const model = (name: string, to: string, base: string) => ({
		model_name: name,
		litellm_params: { model: to, api_base: `${behind}${base}`, api_key: 'none' },
	});
	const file = path.join(workFolder('litellm'), 'config.yaml');
	const config = {
		model_list: [
			model('local-chat', 'openai/chat', '/v1'),
			model('local-embed', 'openai/embed', '/v1'),
			model('local-rank', 'jina_ai/rank', '/v1/rerank'),
			model('local-vectors', 'jina_ai/embed', '/v1'),
		],
		general_settings: { master_key: KEY },
	};
	fs.writeFileSync(file, JSON.stringify(config));
	return file;
}

describeWith(
	problemOf('litellm') ?? llamaServer.problem,
	'LiteLLM in front of llama-server',
	() => {
		let url: string;
		let server: ModelServer;
		beforeAll(async () => {
			const behind = await startRouter({
				chat: { model: await scriptedFile(), 'ctx-size': CONTEXT, parallel: 1, threads: 1 },
				embed: { model: noiseBert, embeddings: true, pooling: 'mean', threads: 1 },
				rank: { model: noiseBert, reranking: true, threads: 1 },
			});
			const args = ['--config', writeConfig(behind), '--host', '127.0.0.1'];
			({ url } = await startServer('litellm', args));
			server = connection(url, KEY);
		});
		afterAll(stopServers);

		it('Server Health identifies it and its model list', async () => {
			const result = await check(url, {}, { apiKey: KEY });
			expect(result).toMatchObject({ healthy: true, server: { type: 'litellm' } });
			expect(ids(result)).toEqual([]);
			expect((await listModels(server)).map(({ id }) => id).sort()).toEqual(MODELS);
		});

		it('a wrong key, which it rejects with 400 without a database', async () => {
			expect(ids(await check(url, {}, { apiKey: 'sk-wrong' }))).toEqual(['unauthorized']);
			expect(
				await getError(chat(connection(url, 'sk-wrong'), { model: 'local-chat' })),
			).toMatchObject({
				type: 'unauthorized',
				status: 400,
			});
		});

		it('a chat, a tool call, a response with a schema', async () => {
			const { pieces, answer } = await chat(
				server,
				{ model: 'local-chat' },
				asking('Tell a story.'),
			);
			expect(pieces.join('')).toBe(answer.text);
			expect(pieces.length).toBeGreaterThan(10);
			const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
			const called = (await chat(server, { model: 'local-chat' }, call)).answer;
			expect(called.toolCalls).toMatchObject([
				{ name: 'get_weather', arguments: '{"city": "Rome"}' },
			]);
			const sampling = { temperature: 0, maxTokens: 60, responseFormat: CITY_SCHEMA };
			const json = asking('Answer in JSON.');
			const written = (await chat(server, { model: 'local-chat', sampling }, json)).answer;
			expect(JSON.parse(written.text)).toEqual({ city: 'Paris' });
		});

		it('vectors, also with a provider that rejects encoding_format', async () => {
			for (const model of ['local-embed', 'local-vectors']) {
				const { vectors } = await embeddingsOf(server, { model }).embed(
					[CAT, KITTEN, REVENUE],
					'document',
				);
				const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
				expect(nearness(cat, kitten)).toBeCloseTo(0.89, 2);
				expect(nearness(cat, revenue)).toBeCloseTo(0.62, 2);
			}
		});

		it('a text that is too long is an error that names it', async () => {
			const texts = [CAT, 'word '.repeat(600)];
			const failed = await getError(
				embeddingsOf(server, { model: 'local-embed' }).embed(texts, 'document'),
			);
			expect(failed).toMatchObject({ type: 'promptTooLong', facts: { tokens: 602, limit: 512 } });
		});

		it('reranking, and a model without it', async () => {
			const { ranking } = await rerankOf(server, { model: 'local-rank' }).rerank('cat', [
				CAT,
				KITTEN,
				REVENUE,
			]);
			expect(ranking.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
			expect(
				await getError(rerankOf(server, { model: 'local-embed' }).rerank('cat', [CAT])),
			).toMatchObject({
				type: 'serverError',
				message: expect.stringContaining('Unsupported provider: openai') as string,
			});
		});

		it('an unknown model', async () => {
			expect(await getError(chat(server, { model: 'nope' }))).toMatchObject({
				type: 'modelNotFound',
				suggestion: expect.stringContaining('local-chat') as string,
			});
			const expectedError = { type: 'modelNotFound' };
			expect(
				await getError(embeddingsOf(server, { model: 'nope' }).embed(['a'], 'query')),
			).toMatchObject(expectedError);
			expect(await getError(rerankOf(server, { model: 'nope' }).rerank('a', ['b']))).toMatchObject(
				expectedError,
			);
		});

		it('a message that does not fit into the context', async () => {
			const failed = await getError(
				chat(server, { model: 'local-chat' }, asking('w'.repeat(2 * CONTEXT))),
			);
			expect(failed).toMatchObject({
				type: 'promptTooLong',
				message: expect.stringContaining('2048') as string,
			});
		});
	},
);
