import { listModels } from '../../../lib/servers/list-models';
import { runModelAction } from '../../../lib/servers/model-actions';
import { getProfile } from '../../../lib/servers/profile';
import { identifyServerType } from '../../../lib/servers/types';
import type { ModelTask } from '../../../lib/servers/types/server-type';
import { createModelServer } from '../../../lib/servers/endpoint';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import type { ScriptedRequest } from '../../support/servers/scripted-server';
import { recordedExchanges } from '../../support/files/recorded-exchanges';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { startKokoroSim } from '../../simulators/media/kokoro';
import { useSimulator } from '../../simulators/use-simulator';
import { connect } from '../tasks/media';
import { getError } from '../../support/jest/get-error';

const serveScript = useSimulator(startScripted);

type Answers = Record<string, unknown>;

/**
 * A server with these JSON answers by method and path; a function makes one of the request, `[status, body]` is a
 * refusal. Anything else is 404.
 */
async function serve(answers: Answers, headers: Record<string, string> = {}) {
	const scripted = await serveScript((request, response) => {
		const { method, path } = request;
		const known = answers[`${method} ${path}`] ?? answers[`${method} ${path.replace(/\?.*/, '')}`];
		const answer: unknown =
			typeof known === 'function' ? (known as (of: ScriptedRequest) => unknown)(request) : known;
		if (answer === undefined)
			return sendJson(response, { error: { message: 'File Not Found' } }, 404, headers);
		if (Array.isArray(answer)) return sendJson(response, answer[1], answer[0] as number, headers);
		return sendJson(response, answer, 200, headers);
	});
	const server = createModelServer({
		baseUrl: scripted.url,
		apiKey: ['sk', '9f8e7d6c5b4a3210'].join('-'),
	});
	return {
		server,
		requested: () => scripted.requests.map(({ method, path }) => `${method} ${path}`),
	};
}

const list = (...models: object[]) => ({ object: 'list', data: models });
const LLAMA = { server: 'llama.cpp' };
const OLLAMA = list({ id: 'qwen3:8b', owned_by: 'library' });
const call = { wait: true, timeoutMs: 10_000, pauseMs: 1 };

describe('identification of the server type', () => {
	test.each([
		['llama-server-v0.5.0/lists', 'plain-models', 'llamaServer'],
		['llama-server-v0.5.0/lists', 'key-models-none', 'llamaServer'],
		['llama-server-v0.5.0/lists', 'loading-models', 'llamaServer'],
		['llama-server-v0.5.0/router', 'router-models-idle', 'llamaServer'],
		['llama-swap-0bdb372/models', 'models', 'other'],
		['whisper.cpp-233fe1f/server', 'models-404', 'other'],
	])('recorded: %s %s is %s', (topic, name, serverType) => {
		const {
			status,
			headers,
			text = '',
		} = recordedExchanges(topic).find((one) => one.name === name)!.answer;
		const responseHeaders = Object.fromEntries(
			headers.map(([header, value]) => [header.toLowerCase(), value]),
		);
		const body = /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : undefined;
		expect(
			identifyServerType({
				models: { status, headers: responseHeaders, finalUrl: '', text, json: body },
			}),
		).toBe(serverType);
	});

	interface Identity {
		label: string;
		name: string;
		/** By method and path. */
		responses: Answers;
		/** Of each response. */
		headers?: Record<string, string>;
	}

	test.each<Identity>([
		{
			label: 'Ollama',
			name: 'a model of its library',
			responses: { 'GET /v1/models': list({ id: 'qwen3:8b', owned_by: 'library' }) },
		},
		{
			label: 'Ollama',
			name: 'no models, and a version',
			responses: {
				'GET /v1/models': { object: 'list', data: null },
				'GET /api/version': { version: '0.17.4' },
			},
		},
		{
			label: 'vLLM',
			name: 'the owner of its models',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'vllm' }) },
		},
		{
			label: 'vLLM',
			name: 'its rejection of a key',
			responses: { 'GET /v1/models': [401, { error: 'Unauthorized' }] },
		},
		{
			label: 'GPUStack',
			name: 'its rejection of a key',
			responses: { 'GET /v1/models': [401, { code: 401, reason: 'Unauthorized' }] },
		},
		{
			label: 'GPUStack',
			name: 'the owner of one of its models',
			responses: {
				'GET /v1/models': list({ id: 'a', owned_by: 'x' }, { id: 'b', owned_by: 'gpustack' }),
			},
		},
		{
			label: 'LiteLLM',
			name: 'its header',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'openai' }) },
			headers: { 'x-litellm-version': '1.106' },
		},
		{
			label: 'LM Studio',
			name: 'the owner of its models',
			responses: { 'GET /v1/models': list({ id: 'a', owned_by: 'organization_owner' }) },
		},
		{
			label: 'An OpenAI-compatible server',
			name: 'an owner whose models have another name',
			responses: { 'GET /v1/models': list({ id: 'vllm/a', owned_by: 'vllm' }) },
		},
		{ label: 'An OpenAI-compatible server', name: 'nothing', responses: {} },
	])('$label is identified by $name', async ({ label, responses, headers }) => {
		const { server } = await serve(responses, headers);
		const type = await getProfile(server).getType();
		expect({ responses, label: type.label }).toEqual({ responses, label });
	});

	test('takes one request, or two if the first is not sufficient, and is cached', async () => {
		const llama = await serve({ 'GET /v1/models': list({ id: 'a' }) }, LLAMA);
		await Promise.all([getProfile(llama.server).getType(), getProfile(llama.server).getType()]);
		await getProfile(llama.server).getType();
		expect(llama.requested()).toEqual(['GET /v1/models']);
		const unknown = await serve({ 'GET /v1/models': list({ id: 'a' }) });
		await getProfile(unknown.server).getType();
		expect(unknown.requested()).toEqual(['GET /v1/models', 'GET /api/version']);
	});
});

test('the properties of at most 50 models per server are cached', async () => {
	const { server, requested } = await serve(
		{ 'GET /v1/models': list({ id: 'a' }), 'GET /props': { total_slots: 2 } },
		LLAMA,
	);
	const countFor = async (model: string) => {
		const before = requested().length;
		await getProfile(server).getProps(model);
		return requested().length - before;
	};
	await countFor('first');
	for (let at = 0; at < 49; at++) await countFor(`m${at}`);
	expect(await countFor('first')).toBe(0);
	await countFor('one more');
	expect(await countFor('first')).toBe(0);
	expect(await countFor('m0')).toBeGreaterThan(0);
});

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
		['nothing', 'embeddings', { 'GET /v1/models': list({ id: 'a' }, { id: 'b' }) }, ['a', 'b']],
	])('by use: %s for %s', async (_by, use, answers, expected) => {
		const { server } = await serve(answers, _by.includes('router') ? LLAMA : {});
		expect((await listModels(server, undefined, use)).map(({ id }) => id)).toEqual(expected);
	});

	test('that fail report the reason', async () => {
		const withWrongKey = await serve({
			'GET /v1/models': [401, { error: { message: 'Invalid API Key' } }],
		});
		await expect(listModels(withWrongKey.server)).rejects.toMatchObject({ type: 'unauthorized' });
		const empty = await serve({ 'GET /v1/models': list() });
		await expect(listModels(empty.server)).rejects.toMatchObject({
			message: 'The server has no models',
			suggestion: expect.stringContaining('the key has no access to its models'),
		});
		const missing = await serve({});
		await expect(listModels(missing.server)).rejects.toMatchObject({ type: 'routeNotFound' });
		const chatOnly = await serve(
			{ 'GET /v1/models': list({ id: 'chat', status: router(), owned_by: 'llamacpp' }) },
			LLAMA,
		);
		expect(await listModels(chatOnly.server, undefined, 'chat')).toHaveLength(1);
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
		expect(createModelServer({ baseUrl: typed, apiKey: sameKey }).getApiUrl()).toBe(
			server.url.root,
		);
		expect(createModelServer({ baseUrl: typed, apiKey: 'other' }).getApiUrl()).toBe(
			`${server.url.root}/v1`,
		);
	});
});

describe('model actions', () => {
	test.each<[string, Answers, Record<string, string>]>([
		[
			'a llama-server with one model',
			{ 'GET /v1/models': list({ id: 'a', owned_by: 'llamacpp' }) },
			LLAMA,
		],
		[
			'a server without such endpoints',
			{ 'GET /v1/models': list({ id: 'a', owned_by: 'vllm' }) },
			{},
		],
	])('%s is an error that names servers with model actions', async (_name, answers, headers) => {
		const { server } = await serve(answers, headers);
		await expect(runModelAction(server, 'load', { ...call, model: 'a' })).rejects.toMatchObject({
			type: 'featureDisabled',
			suggestion: expect.stringMatching(/router|Only/),
		});
	});

	test('of a server that rejects the key report that', async () => {
		const { server } = await serve({ 'GET /v1/models': [401, { detail: 'Wrong key' }] });
		await expect(runModelAction(server, 'remove', { ...call, model: 'a' })).rejects.toMatchObject({
			type: 'unauthorized',
		});
	});

	test('the list of Ollama says which models are loaded', async () => {
		const { server } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/tags': { models: [{ name: 'qwen3:8b' }] },
			'GET /api/ps': { models: [{ name: 'qwen3:8b', size: 100, size_vram: 50 }] },
		});
		const states = (await listModels(server)).map(({ id, state }) => [id, state]);
		expect(states).toContainEqual(['qwen3:8b', 'loaded']);
	});

	test('Ollama loads, unloads and deletes', async () => {
		const running = new Set<string>();
		const { server, requested } = await serve({
			'GET /v1/models': OLLAMA,
			'GET /api/ps': () => ({ models: [...running].map((name) => ({ name })) }),
			'POST /api/generate': ({ body }: ScriptedRequest) => {
				if (body.keep_alive === 0) running.clear();
				else running.add('qwen3:8b');
				return { done: true };
			},
			'DELETE /api/delete': ({ body }: ScriptedRequest) =>
				body.model === 'qwen3:8b' ? {} : [404, { error: "model 'x' not found" }],
		});
		expect(
			await runModelAction(server, 'load', { ...call, model: 'library/Qwen3:8b' }),
		).toMatchObject({ server: 'ollama', changed: true });
		expect(await runModelAction(server, 'unload', { ...call, model: 'qwen3:8b' })).toMatchObject({
			before: 'loaded',
			state: 'unloaded',
		});
		expect(await runModelAction(server, 'remove', { ...call, model: 'qwen3:8b' })).toMatchObject({
			deleted: true,
		});
		await expect(runModelAction(server, 'remove', { ...call, model: 'x' })).rejects.toMatchObject({
			type: 'modelNotFound',
			suggestion: expect.stringContaining('already be deleted'),
		});
		expect(requested().filter((one) => one === 'POST /api/generate')).toHaveLength(2);
	});

	test('LM Studio loads, and unloads by the instance ID', async () => {
		const { server, requested } = await serve({
			'GET /v1/models': list({ id: 'a', owned_by: 'organization_owner' }),
			'POST /api/v1/models/load': ({ body }: ScriptedRequest) =>
				body.model === 'a' ? { status: 'loaded' } : undefined,
			'POST /api/v1/models/unload': ({ body }: ScriptedRequest) =>
				body.instance_id === 'a' ? {} : undefined,
		});
		await runModelAction(server, 'load', { ...call, model: 'a' });
		await runModelAction(server, 'unload', { ...call, model: 'a' });
		expect(requested().filter((one) => one.startsWith('POST'))).toEqual([
			'POST /api/v1/models/load',
			'POST /api/v1/models/unload',
		]);
	});
});

const startLlama = useSimulator(startLlamaServerSim);
const startKokoro = useSimulator(startKokoroSim);

const idsOf = async (sim: { url: string }, task: ModelTask) =>
	(await listModels(connect(sim.url), undefined, task)).map(({ id }) => id);

test('other servers: all models except those for other tasks', async () => {
	expect(await idsOf(await startKokoro(), 'speech')).toEqual(['tts-1', 'tts-1-hd', 'kokoro']);
	const deaf = await startLlama({ audio: false });
	expect(await getError(idsOf(deaf, 'transcription'))).toMatchObject({
		message: 'The server has no model for transcription',
		suggestion: expect.stringContaining('--mmproj') as string,
	});
});
