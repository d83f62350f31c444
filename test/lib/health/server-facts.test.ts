import fc from 'fast-check';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../servers/llama-server';
import { closeRawServers, rawServer } from '../../support/raw-answers';
import { examples } from '../../support/properties';
import { check, finding, ids, json, routes, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	const server = await startServer(options);
	return server;
}

let server: LlamaServerSim;

async function simWithKey(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}
/** The routes that were asked, each once. */
function asked(): string[] {
	return [...new Set(server.requests.map(({ method, target }) => `${method} ${target}`))].sort();
}

afterEach(async () => {
	await closeRawServers();
});

describe('invalid numbers and names', () => {
	it('metrics that are no numbers', async () => {
		const server = await sim({ metrics: true });
		server.route(
			'GET /metrics',
			reply.error(
				200,
				'llamacpp:requests_deferred NaN\nllamacpp:requests_processing +Inf\nllamacpp:n_decode_total 1.2.3\n',
			),
		);
		expect(await check(server.url)).toMatchObject({
			status: 'healthy',
			queue: null,
			slots: { busy: null },
		});
	});

	it('models without meta, without a name, and two hundred of them', async () => {
		const data = [
			{ id: 'a/b:c 語', object: 'model', owned_by: 'llamacpp', meta: null },
			{ object: 'model' },
			null,
			'x',
			...Array.from({ length: 200 }, (_, at) => ({ id: `m${at}`, aliases: 7, status: 'loaded' })),
		];
		const url = await rawServer(
			routes({
				'/v1/models': json('200 OK', { object: 'list', data }),
				'/props': json('200 OK', {}),
				'/health': json('200 OK', { status: 'ok' }),
			}),
		);
		const result = await check(url, {
			expectations: { model: 'm150', minContext: 5 },
		});
		expect(result.models).toHaveLength(201);
		expect(result.models![0]).toMatchObject({ id: 'a/b:c 語', context: null, size: null });
	});

	it('a router with more loaded models than are asked: the one that is needed is among them', async () => {
		const names = Array.from({ length: 20 }, (_, at) => `m${at}`);
		const data = names.map((id) => ({
			id,
			object: 'model',
			owned_by: 'llamacpp',
			aliases: [`alias-${id}`],
			status: { value: 'loaded' },
		}));
		const props = json('200 OK', {
			total_slots: 1,
			modalities: { vision: true, audio: false },
			default_generation_settings: { n_ctx: 9000 },
		});
		const url = await rawServer((path, socket, head) =>
			(path.startsWith('/props?')
				? props
				: routes({
						'/v1/models': json('200 OK', { data }),
						'/props': json('200 OK', { role: 'router' }),
					}))(path, socket, head),
		);
		for (const model of ['m19', 'alias-m19'])
			expect(ids(await check(url, { expectations: { model, minContext: 8192 } }))).toEqual([]);
	});

	it('a key in the list of models or in a version stays out of the result', async () => {
		const url = await rawServer(
			routes({
				'/v1/models': json('200 OK', {
					data: [{ id: `model of ${SESAME}`, owned_by: 'llamacpp' }],
				}),
				'/props': json('200 OK', { build_info: `Bearer ${SESAME}` }),
			}),
		);
		const result = await check(url);
		expect(result.models![0]!.id).toBe('model of ***');
		expect(JSON.stringify(result)).not.toContain(SESAME);
	});

	it('a key that is a common word does not mask names of models', async () => {
		const url = await rawServer(
			routes({
				'/v1/models': json('200 OK', {
					data: [{ id: 'llama-3.1-8b-instruct-q4', owned_by: 'llamacpp' }],
				}),
			}),
		);
		const extraHeaders = { header: [{ name: 'X-Model', value: 'llama-3.1-8b-instruct-q4' }] };
		expect((await check(url, {}, { apiKey: 'llama', extraHeaders })).models![0]!.id).toBe(
			'llama-3.1-8b-instruct-q4',
		);
	});

	it('the short form of an option that holds a key is no less secret', async () => {
		const server = await sim({
			profile: 'router',
			models: [{ id: 'bad', status: 'unloaded', exitCode: 1 }],
		});
		const args = ['llama-server', '-hft', 'hf_hidden', '--ctx-size', '4096'];
		server.route(
			'GET /v1/models',
			reply.json({
				data: [{ id: 'bad', status: { value: 'unloaded', failed: true, exit_code: 1, args } }],
			}),
		);
		const { advice } = finding(await check(server.url), 'modelFailed');
		expect(advice).toContain('-hft *** --ctx-size 4096');
	});
});

describe('fields of any other type than expected', () => {
	const CURSED: unknown[] = [
		null,
		0,
		-1,
		1e300,
		'',
		'loaded',
		'\ud800',
		[],
		[null],
		{},
		{ toString: 1, valueOf: 1 },
		[[['x']]],
		true,
		'x'.repeat(5_000),
		'__proto__',
		['--api-key'],
	];
	const value = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...CURSED) }, fc.jsonValue());
	const record = (...names: string[]) =>
		fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
	const status = fc.oneof(
		value,
		record('value', 'failed', 'exit_code', 'args'),
		fc.constant({ value: 'loaded' }),
	);
	const model = fc.record(
		{
			id: value,
			owned_by: value,
			aliases: value,
			meta: fc.oneof(value, record('n_ctx', 'size', 'ftype')),
			status,
			architecture: fc.oneof(value, record('input_modalities')),
			created: value,
			max_model_len: value,
		},
		{ requiredKeys: ['id'] },
	);
	const bodies = {
		'GET /v1/models': fc.oneof(
			value,
			fc.record({ data: fc.oneof(value, fc.array(model, { maxLength: 4 })) }),
		),
		'GET /props': fc.oneof(
			value,
			record(
				'role',
				'build_info',
				'total_slots',
				'is_sleeping',
				'default_generation_settings',
				'modalities',
				'chat_template_caps',
				'endpoint_slots',
				'models_autoload',
			),
		),
		'GET /health': value,
		'GET /api/version': fc.oneof(value, record('version'), fc.constant({ version: '0.12.0' })),
		'GET /version': record('version', 'git_commit'),
		'GET /api/tags': record('models'),
		'GET /api/ps': fc.oneof(
			record('models'),
			fc.record({
				models: fc.array(record('name', 'size', 'size_vram', 'context_length'), { maxLength: 3 }),
			}),
		),
		'POST /api/show': record('capabilities', 'model_info', 'details'),
		'GET /slots': fc.oneof(
			value,
			fc.array(record('id', 'is_processing', 'id_task', 'next_token'), { maxLength: 3 }),
		),
		'POST /v1/embeddings': record('error'),
		'POST /v1/rerank': fc.record({ detail: fc.array(record('loc', 'msg'), { maxLength: 2 }) }),
	};

	it.each(['llama.cpp', 'uvicorn'])(
		'a server that calls itself %s gets a result, whatever is in its answers',
		async (name) => {
			let answers: Record<string, unknown> = {};
			let code = 200;
			const url = await rawServer((path, socket, head) => {
				const route = `${head.split(' ')[0]} ${path.replace(/\?.*/, '')}`;
				json(`${code} X`, (answers[route] ?? {}) as object, { Server: name })(path, socket, head);
			});
			await fc.assert(
				fc.asyncProperty(
					fc.record(bodies),
					fc.constantFrom(200, 200, 200, 400, 500),
					async (some, status) => {
						[answers, code] = [some, status];
						const result = await check(url, {
							readSlots: true,
							expectations: { model: 'm', minContext: 5 },
						});
						expect(JSON.stringify(result)).not.toMatch(/undefined|NaN|\[object Object\]/);
						expect(
							result.findings.every(({ meaning, advice }) => meaning !== '' && advice !== ''),
						).toBe(true);
					},
				),
				examples(60),
			);
		},
	);
});

describe('llama-server with one model', () => {
	it('reports what it is, what it can do and what is switched off', async () => {
		await simWithKey({ metrics: true, slots: 2, vision: true });
		expect(await check(server.url)).toEqual({
			status: 'healthy',
			healthy: true,
			summary: expect.stringMatching(
				/^llama-server b1-de3ff81 answers in \d+ ms with 1 model\.$/,
			) as string,
			url: server.url,
			server: { kind: 'llamaServer', version: 'b1-de3ff81' },
			latencyMs: expect.any(Number) as number,
			models: [
				{
					id: 'sim-model',
					aliases: [],
					context: 8192,
					trainedContext: 8192,
					parameters: 134515008,
					size: 96576768,
					quantization: 'Q4_1',
					vision: true,
					audio: false,
					tools: true,
					embeddings: false,
					remoteHost: null,
					loaded: true,
					state: 'loaded',
				},
			],
			slots: { total: 2, busy: 0 },
			queue: 0,
			contextPerSlot: 8192,
			sleeping: false,
			template: {
				objectArguments: true,
				parallelToolCalls: true,
				preserveReasoning: false,
				reasoningEffort: false,
				stringContent: true,
				systemRole: true,
				toolCalls: true,
				tools: true,
				typedContent: false,
			},
			features: { metrics: true, slots: true, embeddings: false, rerank: false },
			findings: [],
			checkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
			checkMs: expect.any(Number) as number,
		});
	});

	it('asleep: is reported, healthy, and not woken (row 22)', async () => {
		await simWithKey({ sleeping: true });
		const result = await check(server.url, { readSlots: true });
		expect(result).toMatchObject({
			status: 'healthy',
			sleeping: true,
			models: [{ loaded: true, state: 'sleeping' }],
			features: { embeddings: null, rerank: null },
		});
		expect(finding(result, 'sleeping')).toMatchObject({ severity: 'info' });
		expect(server.sleeping).toBe(true);
		expect(asked().filter((route) => route.startsWith('POST') || route.includes('/slots'))).toEqual(
			[],
		);
	});

	it('metrics off: tells which flag shows the queue', async () => {
		await simWithKey();
		const result = await check(server.url);
		expect(result).toMatchObject({
			status: 'healthy',
			features: { metrics: false },
			queue: null,
			slots: { total: 4, busy: null },
		});
		expect(finding(result, 'metricsOff')).toMatchObject({
			severity: 'info',
			advice: 'Start llama-server with --metrics.',
		});
	});

	it('behind a prefix, /health needs the key as well', async () => {
		await simWithKey({ apiPrefix: '/llm' });
		expect(await check(`${server.url}/llm`)).toMatchObject({
			status: 'healthy',
			url: `${server.url}/llm`,
		});
		expect(await check(`${server.url}/llm`, {}, { apiKey: 'wrong' })).toMatchObject({
			status: 'unauthorized',
		});
	});

	it('an old build is understood', async () => {
		await simWithKey({ profile: 'old-llama-server' });
		expect(await check(server.url)).toMatchObject({
			healthy: true,
			server: { kind: 'llamaServer' },
		});
	});
});

describe("llama-server's router", () => {
	const models = [
		{ id: 'big', status: 'loaded', vision: true, nCtx: 16384 },
		{ id: 'small', aliases: ['tiny'], status: 'unloaded' },
	] as const;

	it('reports every model, and slots and queue of the loaded ones, without loading any', async () => {
		await simWithKey({
			profile: 'router',
			models: models.map((model) => ({ ...model, aliases: [] })),
			slots: 2,
			metrics: true,
		});
		const result = await check(server.url);
		expect(result).toMatchObject({
			status: 'healthy',
			server: { kind: 'llamaRouter', version: 'b1-de3ff81' },
			models: [
				{
					id: 'big',
					loaded: true,
					state: 'loaded',
					context: 16384,
					vision: true,
					tools: true,
					embeddings: false,
					parameters: 134515008,
				},
				{
					id: 'small',
					loaded: false,
					state: 'unloaded',
					context: null,
					vision: false,
					tools: null,
				},
			],
			slots: { total: 2, busy: 0 },
			queue: 0,
			contextPerSlot: 16384,
			template: { tools: true },
		});
		expect(server.models.map(({ status }) => status)).toEqual(['loaded', 'unloaded']);
		expect(asked().filter((route) => route.includes('?'))).toEqual([
			'GET /metrics?model=big&autoload=false',
			'GET /props?model=big&autoload=false',
		]);
	});

	it('never shows a key out of the command line of a model', async () => {
		await simWithKey({ profile: 'router' });
		const args = [
			'/usr/bin/llama-server',
			'--api-key',
			'child-key-1',
			'--api-key=child-key-2',
			'--hf-token',
			'hf_token_3',
			'--ctx-size',
			'512',
		];
		server.route(
			'GET /v1/models',
			reply.json({
				data: [
					{
						id: 'x',
						owned_by: 'llamacpp',
						status: { value: 'unloaded', failed: true, exit_code: 1, args },
					},
				],
			}),
		);
		const result = await check(server.url);
		expect(finding(result, 'modelFailed').advice).toMatch(
			/It was started with: --api-key \*\*\* --api-key=\*\*\* --hf-token \*\*\* --ctx-size 512$/,
		);
		expect(JSON.stringify(result)).not.toMatch(/child-key|hf_token_3/);
	});
});

describe('Ollama', () => {
	const models = [
		{ id: 'qwen3:latest', tools: true, thinking: true, nCtx: 32768 },
		{ id: 'llava:7b', vision: true },
	];

	it('is recognised by /api/version, its models by what /api/show and /api/ps say', async () => {
		await simWithKey({ profile: 'ollama', models });
		const result = await check(server.url);
		expect(result).toMatchObject({
			status: 'healthy',
			server: { kind: 'ollama', version: '0.12.0' },
			models: [
				{
					id: 'qwen3:latest',
					context: 32768,
					parameters: 134520000,
					size: 96576768,
					quantization: 'Q4_1',
					tools: true,
					vision: false,
					loaded: true,
				},
				{ id: 'llava:7b', tools: false, vision: true, loaded: true },
			],
			features: { metrics: null, rerank: false },
		});
		expect(asked().some((route) => /chat|generate|embed/.test(route))).toBe(false);
	});
});

describe('GPUStack', () => {
	it('is recognised by /version, its key is checked', async () => {
		await simWithKey({ profile: 'gpustack', models: [{ id: 'qwen3-32b' }] });
		expect(await check(server.url)).toMatchObject({
			status: 'healthy',
			server: { kind: 'gpustack', version: '2.0.1' },
			models: [{ id: 'qwen3-32b', loaded: true }],
		});
		const wrong = await check(server.url, {}, { apiKey: 'wrong' });
		expect(wrong).toMatchObject({ status: 'unauthorized', server: { kind: 'gpustack' } });
		expect(finding(wrong, 'unauthorized').observed).toContain('Invalid authentication credentials');
	});

	it('lists only what runs and is allowed (row 19)', async () => {
		await simWithKey({ profile: 'gpustack', models: [{ id: 'qwen3-32b' }] });
		const result = await check(`${server.url}/v1-openai`, {
			expectations: { model: 'bge' },
		});
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'modelMissing').advice).toContain(
			'only while an instance runs and the key may use it',
		);
		server.route('GET /v1/models', reply.json({ object: 'list', data: [] }));
		expect(finding(await check(server.url), 'noModels').advice).toContain(
			'Deploy a model in GPUStack',
		);
	});
});

describe('vLLM', () => {
	it('is recognised by its models and its empty /health, context and queue are read', async () => {
		await simWithKey({ profile: 'vllm', models: [{ id: 'Qwen/Qwen3-8B', nCtx: 40960 }] });
		const metrics =
			'# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name="Qwen/Qwen3-8B"} 2.0\nvllm:num_requests_waiting{model_name="Qwen/Qwen3-8B"} 3.0\n';
		server.route('GET /metrics', reply.error(200, metrics));
		const result = await check(server.url);
		expect(result).toMatchObject({
			status: 'healthy',
			server: { kind: 'vllm', version: '0.11.0' },
			models: [{ id: 'Qwen/Qwen3-8B', context: 40960, loaded: true }],
			slots: { busy: 2 },
			queue: 3,
		});
		expect(ids(result)).toEqual(['queued']);
	});

	it('is recognised by its 401, which takes Bearer only', async () => {
		await simWithKey({ profile: 'vllm' });
		const wrong = await check(server.url, {}, { apiKey: 'wrong' });
		expect(wrong).toMatchObject({ status: 'unauthorized', server: { kind: 'vllm' } });
		const style = await check(server.url, {}, { authentication: 'xApiKey' });
		expect(finding(style, 'unauthorized').advice).toContain('change Authentication');
	});
});

describe('a FastAPI server', () => {
	it('is an OpenAI-compatible server of no particular kind', async () => {
		await simWithKey({ profile: 'fastapi' });
		expect(await check(server.url)).toMatchObject({
			status: 'healthy',
			server: { kind: 'openAiCompatible', version: null },
			models: [{ id: 'sim-model' }],
		});
	});

	it('wants its key: 403 without, 401 with a wrong one', async () => {
		await simWithKey({ profile: 'fastapi' });
		const none = await check(server.url, {}, { apiKey: '' });
		expect(none).toMatchObject({ status: 'unauthorized', server: { kind: 'openAiCompatible' } });
		expect(finding(none, 'unauthorized').observed).toContain('Not authenticated');
		expect(
			finding(await check(server.url, {}, { apiKey: 'wrong' }), 'unauthorized').observed,
		).toContain('Invalid API key');
	});
});
