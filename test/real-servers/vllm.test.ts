/** A real vLLM on a CPU, with the scripted model, and with all-MiniLM-L6-v2. It takes minutes to start. */
import type { Connection } from '../../lib/http/connection';
import { listModels } from '../../lib/servers/model-list';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-with';
import {
	asking,
	CAT,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	failureOf,
	killedInMidAnswer,
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
	scriptedFolder,
	startPythonServer,
	stopServers,
} from './support/servers';

const { miniLmFolders, miniLmFoldersProblem, python } = parts();
const KEY = 'sk-test';
const PATIENCE_MS = 900_000;
const PLAIN = ['--host', '127.0.0.1', '--dtype', 'float32', '--enforce-eager'];

describeWith(python.vllm.problem, 'vLLM', () => {
	const model = 'scripted';
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	beforeAll(async () => {
		const served = [
			'--model',
			await scriptedFolder(),
			'--served-model-name',
			model,
			'--api-key',
			KEY,
		];
		const calls = ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'];
		({ url, kill } = await startPythonServer('vllm', [
			...served,
			...calls,
			...PLAIN,
			'--max-model-len',
			String(CONTEXT),
		]));
		server = connection(url, KEY);
	}, PATIENCE_MS);
	afterAll(stopServers);

	it('Server Health knows it, and its list', async () => {
		const result = await check(url, {}, { apiKey: KEY });
		expect(result).toMatchObject({ healthy: true, server: { kind: 'vllm' } });
		expect(ids(result)).toEqual([]);
		expect(await listModels(server)).toMatchObject([{ id: model, context: CONTEXT }]);
	});

	it('a wrong key', async () => {
		expect(ids(await check(url, {}, { apiKey: 'sk-wrong' }))).toEqual(['unauthorized']);
		const unauthorized = { kind: 'unauthorized', status: 401 };
		expect(await failureOf(chat(connection(url, 'sk-wrong'), { model }))).toMatchObject(
			unauthorized,
		);
	});

	it('a chat, a call of a tool, an answer by a schema', async () => {
		expect((await chat(server, { model })).answer).toMatchObject({
			text: 'Hello. How are you?',
			finishReason: 'stop',
		});
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		expect((await chat(server, { model }, call)).answer.toolCalls).toMatchObject([
			{ name: 'get_weather', arguments: '{"city": "Rome"}' },
		]);
		const parameters = { maxTokens: 60, responseFormat: CITY_SCHEMA };
		const { answer } = await chat(server, { model, parameters }, asking('Hello.'));
		expect(Object.keys(JSON.parse(answer.text) as object)).toEqual(['city']);
	});

	it('an unknown model, and a message that does not fit, in its own terms', async () => {
		expect(await failureOf(chat(server, { model: 'nope' }))).toMatchObject({
			kind: 'modelNotFound',
			remedy: 'Use one of: scripted. Or start vLLM with --served-model-name.',
		});
		expect(await failureOf(chat(server, { model }, asking('w'.repeat(2 * CONTEXT))))).toMatchObject(
			{
				kind: 'contextOverflow',
				remedy: expect.stringContaining('--max-model-len') as string,
			},
		);
	});

	it('embeddings and reranking with a model for chats', async () => {
		expect(await failureOf(embeddingsOf(server, { model }).embed(['a'], 'query'))).toMatchObject({
			kind: 'notSupported',
			remedy: expect.stringContaining('Start vLLM with an embedding model') as string,
		});
		expect(await failureOf(rerankOf(server, { model }).rerank('a', ['b']))).toMatchObject({
			kind: 'notSupported',
		});
	});

	it('killed in the middle of an answer', async () => {
		expect(await killedInMidAnswer(server, { model, kill })).toMatchObject({
			kind: 'connectionLost',
		});
	});
});

describeWith(python.vllm.problem ?? miniLmFoldersProblem, 'vLLM with a model for vectors', () => {
	const model = 'minilm';
	let server: Connection;
	beforeAll(async () => {
		const served = [
			'--model',
			miniLmFolders!.embedding,
			'--served-model-name',
			model,
			'--runner',
			'pooling',
		];
		server = connection((await startPythonServer('vllm', [...served, ...PLAIN])).url);
	}, PATIENCE_MS);
	afterAll(stopServers);

	it('vectors, and a text that is too long', async () => {
		const { vectors } = await embeddingsOf(server, { model }).embed(
			[CAT, KITTEN, REVENUE],
			'document',
		);
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.56, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(-0.02, 2);
		const failed = await failureOf(
			embeddingsOf(server, { model }).embed([CAT, 'word '.repeat(600)], 'document'),
		);
		expect(failed).toMatchObject({
			kind: 'contextOverflow',
			message: expect.stringContaining('Text 2') as string,
		});
	});

	it('a chat says that the model is for something else', async () => {
		expect(await failureOf(chat(server, { model }))).toMatchObject({ kind: 'wrongModelType' });
	});
});
