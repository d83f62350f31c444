/** A real vLLM with a small model for chats, which VLLM_MODEL names. It takes minutes to start. */
import type { ModelServer } from '../../lib/servers/types/server-type';
import { listModels } from '../../lib/servers/list-models';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-if';
import {
	asking,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	failureOf,
	killedInMidAnswer,
	rerankOf,
} from './support/clients';
import { connection, CONTEXT, problemOf, startServer, stopServers } from './support/servers';

const KEY = 'sk-test';
const PATIENCE_MS = 900_000;
const PLAIN = ['--dtype', 'float32', '--enforce-eager'];

describeWith(problemOf('vllm'), 'vLLM', () => {
	const model = 'small';
	let url: string;
	let kill: () => Promise<void>;
	let server: ModelServer;
	beforeAll(async () => {
		const served = ['--served-model-name', model, '--api-key', KEY];
		const args = [...served, ...PLAIN, '--max-model-len', String(CONTEXT)];
		({ url, kill } = await startServer('vllm', args));
		server = connection(url, KEY);
	}, PATIENCE_MS);
	afterAll(stopServers);

	it('Server Health identifies it and its model list', async () => {
		const result = await check(url, {}, { apiKey: KEY });
		expect(result).toMatchObject({ healthy: true, server: { type: 'vllm' } });
		expect(ids(result)).toEqual([]);
		expect(await listModels(server)).toMatchObject([{ id: model, context: CONTEXT }]);
	});

	it('a wrong key', async () => {
		expect(ids(await check(url, {}, { apiKey: 'sk-wrong' }))).toEqual(['unauthorized']);
		const unauthorized = { type: 'unauthorized', status: 401 };
		expect(await failureOf(chat(connection(url, 'sk-wrong'), { model }))).toMatchObject(
			unauthorized,
		);
	});

	it('a chat, a response with a schema', async () => {
		const { pieces, answer } = await chat(server, { model, parameters: { maxTokens: 8 } });
		expect(pieces.join('')).toBe(answer.text);
		expect(answer.usage?.estimated).toBeUndefined();
		const parameters = { maxTokens: 60, responseFormat: CITY_SCHEMA };
		const written = await chat(server, { model, parameters }, asking('Hello.'));
		expect(Object.keys(JSON.parse(written.answer.text) as object)).toEqual(['city']);
	});

	it('an unknown model, and a message that does not fit into the context', async () => {
		expect(await failureOf(chat(server, { model: 'nope' }))).toMatchObject({
			type: 'modelNotFound',
			suggestion: 'Use one of: small. Or start vLLM with --served-model-name.',
		});
		expect(await failureOf(chat(server, { model }, asking('w'.repeat(2 * CONTEXT))))).toMatchObject(
			{
				type: 'promptTooLong',
				suggestion: expect.stringContaining('--max-model-len') as string,
			},
		);
	});

	it('embeddings and reranking with a chat model', async () => {
		expect(await failureOf(embeddingsOf(server, { model }).embed(['a'], 'query'))).toMatchObject({
			type: 'featureDisabled',
			suggestion: expect.stringContaining('Start vLLM with an embedding model') as string,
		});
		expect(await failureOf(rerankOf(server, { model }).rerank('a', ['b']))).toMatchObject({
			type: 'featureDisabled',
		});
	});

	it('killed during a response', async () => {
		expect(await killedInMidAnswer(server, { model, kill })).toMatchObject({
			type: 'connectionLost',
		});
	});
});
