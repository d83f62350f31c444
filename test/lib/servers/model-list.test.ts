import { listModels } from '../../../lib/servers/model-list';
import { describeModel } from '../../../lib/servers/model-names';
import type { ServerModel } from '../../../lib/servers/models';
import { connectTo } from '../../../lib/servers/connect';
import { knownServerKind } from '../../../lib/servers/identify';
import { ServerError } from '../../../lib/errors/server-error';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { startScripted } from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

async function start(options: SimOptions = {}) {
	const sim = await startServer(options);
	return sim;
}

const connect = (baseUrl: string, key?: string) =>
	connectTo({
		baseUrl,
		...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
	});
const paths = (sim: LlamaServerSim) => sim.requests.map(({ method, path }) => `${method} ${path}`);

async function list(sim: LlamaServerSim, key?: string): Promise<ServerModel[]> {
	return await listModels(connect(sim.url, key));
}

async function failed(promise: Promise<unknown>): Promise<ServerError> {
	const outcome: unknown = await promise.then(
		() => undefined,
		(error: unknown) => error,
	);
	if (!(outcome instanceof ServerError)) throw new Error(`no failure: ${String(outcome)}`);
	return outcome;
}

describe('lists of models', () => {
	it('llama-server with one model: context, size, inputs from /props', async () => {
		const sim = await start({ alias: 'qwen3-8b', vision: true, nCtx: 32768 });
		expect(await list(sim)).toEqual([
			{
				id: 'qwen3-8b',
				aliases: [],
				context: 32768,
				trainedContext: 8192,
				parameters: 134515008,
				size: 96576768,
				quantization: 'Q4_1',
				vision: true,
				video: false,
				audio: false,
				tools: true,
				state: 'loaded',
			},
		]);
		expect(paths(sim)).toEqual(['GET /v1/models', 'GET /props']);
	});

	it('a sleeping server says so and is not woken (case 96)', async () => {
		const sim = await start({ sleeping: true });
		expect(await list(sim)).toMatchObject([{ state: 'sleeping' }]);
		expect(sim.sleeping).toBe(true);
	});

	it('llama-server that refuses /props', async () => {
		const sim = await start();
		sim.route('GET /props', reply.error(404, { error: 'no' }));
		const [model] = await list(sim);
		expect(model).toMatchObject({ id: 'sim-model', context: 8192 });
		expect(model).not.toHaveProperty('vision');
		expect(model).not.toHaveProperty('state');
	});

	it('a router tells states and inputs itself, and loads nothing for the list', async () => {
		const sim = await start({
			profile: 'router',
			models: [
				{ id: 'a', status: 'loaded', vision: true, aliases: ['first'] },
				{ id: 'b', status: 'unloaded' },
				{ id: 'c', status: 'unloaded', exitCode: 1 },
			],
		});
		const models = await list(sim);
		expect(models).toMatchObject([
			{ id: 'a', state: 'loaded', vision: true },
			{ id: 'b', state: 'unloaded', vision: false },
			{ id: 'c', state: expect.stringMatching(/unloaded|failed/) as string },
		]);
		expect(models[0]?.aliases).toContain('first');
		expect(paths(sim)).toEqual(['GET /v1/models']);
		expect(sim.models.map(({ status }) => status)).toEqual(['loaded', 'unloaded', 'unloaded']);
	});

	it('a router’s model that failed to load is called failed', async () => {
		const sim = await start();
		sim.route(
			'GET /v1/models',
			reply.json({
				data: [
					{
						id: 'x',
						owned_by: 'llamacpp',
						status: { value: 'unloaded', failed: true, exit_code: 1 },
					},
				],
			}),
		);
		expect(await list(sim)).toEqual([{ id: 'x', aliases: [], state: 'failed', exitCode: 1 }]);
	});

	it('Ollama: sizes from its own list, context from the running models', async () => {
		const sim = await start({
			profile: 'ollama',
			models: [{ id: 'llama3:8b', nCtx: 4096 }, { id: 'qwen3:4b' }],
		});
		expect(await list(sim)).toEqual([
			{
				id: 'llama3:8b',
				aliases: [],
				parameters: '134.52M',
				size: 96576768,
				quantization: 'Q4_1',
				context: 4096,
				state: 'loaded',
			},
			{
				id: 'qwen3:4b',
				aliases: [],
				parameters: '134.52M',
				size: 96576768,
				quantization: 'Q4_1',
				context: 8192,
				state: 'loaded',
			},
		]);
	});

	it('Ollama: what is not running is not loaded; what can see is said to', async () => {
		const sim = await start({ profile: 'ollama', models: [{ id: 'llava' }] });
		sim.route('GET /api/ps', reply.json({ models: [] }));
		sim.route(
			'GET /api/tags',
			reply.json({
				models: [
					{
						name: 'llava',
						capabilities: ['completion', 'vision'],
						details: { parameter_size: '7B' },
					},
				],
			}),
		);
		expect(await list(sim)).toEqual([
			{
				id: 'llava',
				aliases: [],
				parameters: '7B',
				vision: true,
				audio: false,
				tools: false,
				embeddings: false,
				state: 'unloaded',
			},
		]);
	});

	it('an old Ollama without /v1: its own list', async () => {
		const sim = await start({ profile: 'ollama', models: [{ id: 'llama2' }] });
		sim.route('GET /v1/models', reply.error(404, '404 page not found'));
		expect(await list(sim)).toMatchObject([{ id: 'llama2', state: 'loaded' }]);
	});

	it('vLLM: context from max_model_len', async () => {
		const sim = await start({ profile: 'vllm', models: [{ id: 'Qwen/Qwen3-8B', nCtx: 16384 }] });
		expect(await list(sim)).toEqual([{ id: 'Qwen/Qwen3-8B', aliases: [], context: 16384 }]);
		expect(paths(sim)).toEqual(['GET /v1/models']);
	});

	it('GPUStack, with its key', async () => {
		const sim = await start({ profile: 'gpustack', models: [{ id: 'qwen3' }, { id: 'bge-m3' }] });
		expect((await list(sim, 'gpustack-key')).map(({ id }) => id)).toEqual(['qwen3', 'bge-m3']);
		expect(await failed(list(sim, 'wrong-key'))).toMatchObject({
			kind: 'unauthorized',
			status: 401,
		});
	});

	it('a FastAPI server', async () => {
		const sim = await start({ profile: 'fastapi', models: [{ id: 'local' }] });
		expect((await list(sim)).map(({ id }) => id)).toEqual(['local']);
	});

	it('a bare list, and entries that are none', async () => {
		const sim = await start({ profile: 'fastapi' });
		sim.route(
			'GET /v1/models',
			reply.json([
				{ id: 'a' },
				{ name: 'no id' },
				null,
				{ id: 'b', aliases: ['c', 5], meta: { n_ctx: 0, n_params: 'many' } },
			]),
		);
		expect(await list(sim)).toEqual([
			{ id: 'a', aliases: [] },
			{ id: 'b', aliases: ['c'] },
		]);
	});
});

describe('a list that cannot be had says why', () => {
	it('a wrong key', async () => {
		const sim = await start({ apiKey: 'right-key' });
		const error = await failed(list(sim, 'wrong-key'));
		expect(error).toMatchObject({ kind: 'unauthorized', status: 401, url: `${sim.url}/v1/models` });
		expect(error.url).toContain(sim.url);
	});

	it('a wrong path', async () => {
		const sim = await start();
		expect(await failed(listModels(connect(`${sim.url}/nowhere`)))).toMatchObject({
			kind: 'wrongPath',
			status: 404,
		});
	});

	it('nothing there', async () => {
		const sim = await start();
		await sim.close();
		expect(await failed(list(sim))).toMatchObject({ kind: 'refused' });
	});

	it('a web page in place of the API', async () => {
		const sim = await start();
		for (const path of ['GET /v1/models', 'GET /api/tags', 'GET /api/ps'])
			sim.route(path, reply.html(200, '<!doctype html><title>Log in</title>'));
		expect(await failed(list(sim))).toMatchObject({ kind: 'notAnApi' });
	});

	it('JSON of something else', async () => {
		const sim = await start();
		sim.route('GET /v1/models', reply.json({ hello: 'world' }));
		expect(await failed(list(sim))).toMatchObject({
			kind: 'invalidAnswer',
			serverText: expect.stringContaining('world') as string,
		});
	});

	it('a server that is loading', async () => {
		const sim = await start({ loadingFor: 10 });
		expect(await failed(list(sim))).toMatchObject({ kind: 'loading', status: 503 });
	});

	it.each([
		['an empty list', { object: 'list', data: [] }],
		['Ollama’s null', { object: 'list', data: null }],
	])('no models: %s', async (_what, body) => {
		const sim = await start();
		sim.route('GET /v1/models', reply.json(body));
		const error = await failed(list(sim));
		expect(error).toMatchObject({
			kind: 'modelNotFound',
			message: expect.stringContaining('The server has no models') as string,
		});
		// The simulator names itself in its headers.
		expect(error.remedy).toContain('llama-server -m');
	});
});

describe('one line for the list', () => {
	it.each<[ServerModel, string]>([
		[
			{
				id: 'qwen3-8b',
				aliases: [],
				parameters: 8_190_735_360,
				quantization: 'Q4_K_M',
				context: 32768,
				vision: true,
				state: 'loaded',
			},
			'qwen3-8b (8.2B, Q4_K_M, 32k context, vision, loaded)',
		],
		[
			{
				id: 'smol',
				aliases: [],
				parameters: 134_515_008,
				context: 512,
				audio: true,
				vision: false,
			},
			'smol (135M, 512 context, audio)',
		],
		[{ id: 'llama3', aliases: [], parameters: '8.0B' }, 'llama3 (8.0B)'],
		[
			{ id: 'glm:cloud', aliases: [], remoteHost: 'https://ollama.com' },
			'glm:cloud (runs on https://ollama.com)',
		],
		[{ id: 'x', aliases: [] }, 'x'],
	])('%j', (model, line) => {
		expect(describeModel(model)).toBe(line);
	});
});

test.each([
	['llamacpp', 'llamaServer'],
	['somebody', undefined],
])(
	'nginx takes away the header of the server, but not the owner %s in its list',
	async (by, kind) => {
		const server = await startScripted(({ path }, response) => {
			response.setHeader('server', 'nginx/1.22.1');
			response.setHeader('content-type', 'application/json');
			response.statusCode = path === '/v1/models' ? 200 : 404;
			response.end(JSON.stringify({ object: 'list', data: [{ id: 'qwen3', owned_by: by }] }));
		});
		const connection = connect(server.url);
		await listModels(connection);
		expect(knownServerKind(connection)).toBe(kind);
		await server.close();
	},
);
