import { listModels } from '../../../lib/servers/list-models';
import type { ModelTask } from '../../../lib/servers/types/server-type';
import { createModelServer } from '../../../lib/servers/endpoint';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { startKokoroSim } from '../../simulators/media/kokoro';
import { useSimulator } from '../../simulators/use-simulator';
import { connect } from '../tasks/media';
import { getError } from '../../support/jest/get-error';
import { LLAMA, list, serve } from './json-server';
import type { Answers } from './json-server';
import { NO_EXECUTION } from '../../support/n8n/node-host';

describe('lists of models', () => {
	const tags = {
		models: [
			{
				name: 'qwen3:8b',
				details: { parameter_size: '8.2B' },
				capabilities: ['completion', 'tools'],
			},
			{ name: 'nomic', details: { family: 'nomic-bert' } },
		],
	};
	const ofOllama = {
		'GET /v1/models': list(
			{ id: 'qwen3:8b', owned_by: 'library' },
			{ id: 'nomic', owned_by: 'library' },
		),
		'GET /api/tags': tags,
	};
	const router = (...args: string[]) => ({ value: 'unloaded', args });
	test.each<[string, ModelTask, Answers, string[]]>([
		[
			'capabilities of Ollama',
			'embeddings',
			{
				...ofOllama,
				'GET /api/ps': { models: [] },
			},
			['nomic'],
		],
		['capabilities of Ollama', 'chat', ofOllama, ['qwen3:8b']],
		...(['chat', 'embeddings'] as const).map((task): [string, ModelTask, Answers, string[]] => [
			'outputs of a router',
			task,
			{
				'GET /v1/models': list(
					{ id: 'nimble', architecture: { output_modalities: ['decisions'] } },
					{ id: 'both', architecture: { output_modalities: ['text', 'decisions'] } },
					{ id: 'other', architecture: { output_modalities: ['text'] } },
				),
			},
			['both', 'other'],
		]),
		[
			'decisions of Ollama',
			'chat',
			{
				...ofOllama,
				'GET /api/tags': {
					models: [tags.models[0], { name: 'nomic', capabilities: ['decision'] }],
				},
			},
			['qwen3:8b'],
		],
		[
			'arguments of a router',
			'reranking',
			{
				'GET /v1/models': list(
					{ id: 'chat', status: router('-c', '1') },
					{ id: 'rank', status: router('--rerank') },
				),
			},
			['rank'],
		],
		[
			'marks of GPUStack',
			'speech',
			{
				'GET /v1/models?categories=text_to_speech': list({ id: 'voice', owned_by: 'gpustack' }),
				'GET /v1/models': list(
					{ id: 'chat', owned_by: 'gpustack' },
					{ id: 'voice', owned_by: 'gpustack' },
				),
			},
			['voice'],
		],
		...[404, 400, 500].map((status): [string, ModelTask, Answers, string[]] => [
			`nothing, where GPUStack rejects the question for marks (${status})`,
			'speech',
			{
				'GET /v1/models?categories=text_to_speech': [status, { error: { message: 'no' } }],
				'GET /v1/models': list(
					{ id: 'chat', owned_by: 'gpustack' },
					{ id: 'voice', owned_by: 'gpustack' },
				),
			},
			['chat', 'voice'],
		]),
		['nothing', 'embeddings', { 'GET /v1/models': list({ id: 'a' }, { id: 'b' }) }, ['a', 'b']],
	])('by use: %s for %s', async (_by, use, answers, expected) => {
		const { server } = await serve(answers, _by.includes('router') ? LLAMA : {});
		expect((await listModels(server, { modelTask: use })).map(({ id }) => id)).toEqual(expected);
	});

	test('that fail report the reason', async () => {
		const withWrongKey = await serve({
			'GET /v1/models': [401, { error: { message: 'Invalid API Key' } }],
		});
		await expect(listModels(withWrongKey.server)).rejects.toMatchObject({ type: 'unauthorized' });
		const empty = await serve({ 'GET /v1/models': list() });
		await expect(listModels(empty.server)).rejects.toMatchObject({
			message: 'The server has no models',
			suggestion: expect.stringContaining('Or give the key access to its models.'),
		});
		const missing = await serve({});
		await expect(listModels(missing.server)).rejects.toMatchObject({ type: 'routeNotFound' });
		const chatOnly = await serve(
			{ 'GET /v1/models': list({ id: 'chat', status: router(), owned_by: 'llamacpp' }) },
			LLAMA,
		);
		expect(await listModels(chatOnly.server, { modelTask: 'chat' })).toHaveLength(1);
		const endless = await serve({
			'GET /v1/models': list(
				...Array.from({ length: 5_001 }, (_one, index) => ({ id: `m${index}` })),
			),
		});
		await expect(listModels(endless.server)).rejects.toMatchObject({
			message: expect.stringContaining('5001 models'),
		});
	});

	test('are found without a version in the path, for this credential', async () => {
		const { server } = await serve({ 'GET /models': list({ id: 'a' }) });
		expect(await listModels(server)).toHaveLength(1);
		expect(server.getApiUrl()).toBe(server.url.root);
		const sameKey = ['sk', '9f8e7d6c5b4a3210'].join('-');
		const { typed } = server.url;
		expect(createModelServer({ baseUrl: typed, apiKey: sameKey }, NO_EXECUTION).getApiUrl()).toBe(
			server.url.root,
		);
		expect(createModelServer({ baseUrl: typed, apiKey: 'other' }, NO_EXECUTION).getApiUrl()).toBe(
			`${server.url.root}/v1`,
		);
	});
});

const startLlama = useSimulator(startLlamaServerSim);
const startKokoro = useSimulator(startKokoroSim);

const idsOf = async (sim: { url: string }, modelTask: ModelTask) =>
	(await listModels(connect(sim.url), { modelTask })).map(({ id }) => id);

test('a list in which each model is for the task is whole; a server without such a model says what is missing', async () => {
	expect(await idsOf(await startKokoro(), 'speech')).toEqual(['tts-1', 'tts-1-hd', 'kokoro']);
	const deaf = await startLlama({ audio: false });
	expect(await getError(idsOf(deaf, 'transcription'))).toMatchObject({
		message: 'The server has no model for transcription',
		suggestion: expect.stringContaining('--mmproj') as string,
	});
});
