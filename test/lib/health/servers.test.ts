import { forgetChecks } from '../../../lib/health/check';
import { type LlamaServerSim, reply, type SimOptions, startLlamaServerSim } from '../../servers/llama-server';
import { check, finding, ids, SESAME } from './support';
import { useSimulator } from '../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

async function sim(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

beforeEach(forgetChecks);
/** The routes that were asked, each once. */
function asked(): string[] {
	return [...new Set(server.requests.map(({ method, target }) => `${method} ${target}`))].sort();
}

describe('llama-server with one model', () => {
	it('reports what it is, what it can do and what is switched off', async () => {
		await sim({ metrics: true, slots: 2, vision: true });
		expect(await check(server.url)).toEqual({
			status: 'healthy',
			healthy: true,
			summary: expect.stringMatching(/^llama-server b1-de3ff81 answers in \d+ ms with 1 model\.$/) as string,
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

	it('is asked nothing that generates, loads or wakes', async () => {
		await sim();
		await check(server.url);
		expect(asked()).toEqual([
			'GET /api/version',
			'GET /health',
			'GET /metrics',
			'GET /props',
			'GET /v1/models',
			'GET /version',
			'POST /v1/embeddings',
			'POST /v1/rerank',
		]);
		expect(server.requests.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{}, {}]);
		expect(server.slots().every(({ tokens }) => tokens === 0)).toBe(true);
		// Idle connections would keep its HTTP threads from others.
		await server.until(() => server.connections.open === 0);
	});

	it('asleep: says so, is healthy, and sleeps on (row 22)', async () => {
		await sim({ sleeping: true });
		const result = await check(server.url, { readSlots: true, expectations: { embeddings: true } });
		expect(result).toMatchObject({
			status: 'healthy',
			sleeping: true,
			models: [{ loaded: true, state: 'sleeping' }],
			features: { embeddings: null, rerank: null },
		});
		expect(finding(result, 'sleeping')).toMatchObject({ severity: 'info' });
		expect(finding(result, 'notTold').meaning).toContain('embeddings');
		expect(server.sleeping).toBe(true);
		expect(asked().filter((route) => route.startsWith('POST') || route.includes('/slots'))).toEqual([]);
	});

	it('metrics off: tells which flag shows the queue', async () => {
		await sim();
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

	/** Generations that take as long as the test likes; the answer ends them. */
	function occupy(generations: number): () => Promise<void> {
		const abort = new AbortController();
		const working = Array.from({ length: generations }, async () => {
			const answer = await fetch(`${server.url}/v1/chat/completions`, {
				method: 'POST',
				headers: { authorization: `Bearer ${SESAME}` },
				body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }], stream: true }),
				signal: abort.signal,
			});
			await answer.text();
		});
		const ended = Promise.allSettled(working);
		return async () => {
			abort.abort();
			await ended;
			await server.until(() => !server.slots().some(({ busy }) => busy));
		};
	}

	it('slots are read on request only, and then show the busy ones', async () => {
		await sim({ slots: 2, tokenDelayMs: 60_000 });
		const release = occupy(1);
		await server.until(() => server.slots().some(({ busy }) => busy));
		expect((await check(server.url, { readSlots: true })).slots).toEqual({ total: 2, busy: 1 });
		await release();
		expect((await check(server.url)).slots).toEqual({ total: 2, busy: null });
	});

	it('busy slots with a queue: a warning, still healthy (row 24)', async () => {
		await sim({ slots: 1, metrics: true, tokenDelayMs: 60_000 });
		const release = occupy(3);
		await server.until(() => server.queued === 2);
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'healthy', slots: { total: 1, busy: 1 }, queue: 2 });
		expect(finding(result, 'queued')).toMatchObject({
			severity: 'warning',
			observed: '/metrics says 2 waiting, 1 running',
			meaning: '2 requests wait for a slot; the server has 1',
		});
		await release();
	});

	it('fewer slots than requests at once, wanted by the user or let through by the credential (row 24)', async () => {
		await sim({ slots: 2 });
		const wanted = await check(server.url, { expectations: { minSlots: 4 } });
		expect(wanted.status).toBe('misconfigured');
		expect(finding(wanted, 'slotsTooFew').advice).toContain('-np 4');
		const through = await check(server.url, {}, { maxConcurrentRequests: 8 });
		expect(through.status).toBe('healthy');
		expect(finding(through, 'moreRequestsThanSlots').advice).toContain(
			'Max Concurrent Requests in the credential to 2',
		);
	});

	it('small context of a server for embeddings: no warning', async () => {
		await sim({ nCtx: 512, embeddings: true });
		expect(ids(await check(server.url))).not.toContain('contextSmall');
	});

	it('small context: a warning, an error where more is needed (row 25)', async () => {
		await sim({ nCtx: 2048, slots: 2 });
		const result = await check(server.url);
		expect(result.status).toBe('healthy');
		expect(finding(result, 'contextSmall')).toMatchObject({
			severity: 'warning',
			observed: '/props says n_ctx 2048 in each of 2 slots',
		});
		expect(finding(result, 'contextSmall').advice).toContain(
			'--ctx-size 16384. If it was started with -np 2, every slot gets 1/2 of that: then --ctx-size 32768, or --kv-unified.',
		);
		const needed = await check(server.url, { expectations: { minContext: 4096 } });
		expect(needed.status).toBe('misconfigured');
		expect(ids(needed)).not.toContain('contextSmall');
		expect(finding(needed, 'contextTooSmall').advice).toContain('--ctx-size 8192');
	});

	it('no mmproj (row 23), no tools, embeddings and rerank off (row 26): each that is needed is an error with its flag', async () => {
		await sim({ template: 'strict' });
		expect((await check(server.url)).status).toBe('healthy');
		const result = await check(server.url, {
			expectations: { vision: true, tools: true, embeddings: true, rerank: true },
		});
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'modalityUnsupported')).toMatchObject({ observed: '/props says modalities.vision false' });
		expect(finding(result, 'modalityUnsupported').advice).toContain('--mmproj');
		expect(finding(result, 'toolsUnsupported').observed).toContain('supports_tools false');
		expect(finding(result, 'embeddingsOff').advice).toContain('--embeddings');
		expect(finding(result, 'rerankOff').advice).toContain('--rerank');
	});

	it('has what is needed: no finding', async () => {
		await sim({ vision: true, rerank: true, metrics: true });
		const result = await check(server.url, {
			expectations: {
				vision: true,
				tools: true,
				embeddings: true,
				rerank: true,
				minContext: 8192,
				minSlots: 4,
				model: 'sim-model',
			},
		});
		expect(result).toMatchObject({ status: 'healthy', findings: [], features: { embeddings: true, rerank: true } });
	});

	it('another model than the one that is named: a warning, since it answers all the same (row 19)', async () => {
		await sim();
		const result = await check(server.url, { expectations: { model: 'qwen3-8b' } });
		expect(result.status).toBe('healthy');
		expect(finding(result, 'otherModel')).toMatchObject({ severity: 'warning' });
		expect(finding(result, 'otherModel').advice).toContain('--alias qwen3-8b');
	});

	it('behind a prefix, /health needs the key as well', async () => {
		await sim({ apiPrefix: '/llm' });
		expect(await check(`${server.url}/llm`)).toMatchObject({ status: 'healthy', url: `${server.url}/llm` });
		expect(await check(`${server.url}/llm`, {}, { apiKey: 'wrong' })).toMatchObject({ status: 'unauthorized' });
	});

	it('an old build is understood', async () => {
		await sim({ profile: 'old-llama-server' });
		expect(await check(server.url)).toMatchObject({ healthy: true, server: { kind: 'llamaServer' } });
	});
});

describe("llama-server's router", () => {
	const models = [
		{ id: 'big', status: 'loaded', vision: true, nCtx: 16384 },
		{ id: 'small', aliases: ['tiny'], status: 'unloaded' },
	] as const;

	it('reports every model, and slots and queue of the loaded ones, without loading any', async () => {
		await sim({
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
				{ id: 'small', loaded: false, state: 'unloaded', context: null, vision: false, tools: null },
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

	it('a model that failed makes it degraded; one that is needed makes it misconfigured (row 20)', async () => {
		await sim({
			profile: 'router',
			models: [
				{ id: 'big', status: 'loaded' },
				{ id: 'huge', status: 'unloaded', exitCode: 137 },
			],
		});
		const result = await check(server.url);
		expect(result).toMatchObject({
			status: 'degraded',
			models: [{ state: 'loaded' }, { state: 'failed', loaded: false }],
		});
		expect(finding(result, 'modelFailed').meaning).toBe(
			'The router could not load the model "huge": its process ended with exit code 137',
		);
		expect(finding(result, 'modelFailed').advice).toMatch(
			/memory.*It was started with: --host 127\.0\.0\.1 .*--ctx-size 8192/,
		);
		expect((await check(server.url, { expectations: { model: 'huge' } })).status).toBe('misconfigured');
	});

	it('a model that failed is no alarm where another one is needed, and that one is loaded', async () => {
		await sim({
			profile: 'router',
			models: [
				{ id: 'big', status: 'loaded', aliases: ['default'] },
				{ id: 'huge', status: 'unloaded', exitCode: 137, aliases: ['monster'] },
			],
		});
		for (const model of ['big', 'default']) {
			const result = await check(server.url, { expectations: { model } });
			expect(result).toMatchObject({ status: 'healthy', healthy: true });
			expect(finding(result, 'modelFailed')).toMatchObject({ severity: 'warning' });
		}
		expect((await check(server.url, { expectations: { model: 'monster' } })).status).toBe('misconfigured');
	});

	it('each model has its own slots: they are not added up', async () => {
		await sim({
			profile: 'router',
			slots: 2,
			models: ['a', 'b', 'c'].map((id) => ({ id, status: 'loaded' as const })),
		});
		const limit = { maxConcurrentRequests: 3 };
		const any = await check(server.url, {}, limit);
		expect(any.slots?.total).toBe(2);
		expect(finding(any, 'moreRequestsThanSlots').advice).toContain('to 2');
		expect(ids(await check(server.url, { expectations: { minSlots: 4 } }))).toContain('slotsTooFew');
	});

	it('models with different numbers of slots: that of the needed one counts, and none where none is named', async () => {
		await sim({ profile: 'router', models: ['a', 'b'].map((id) => ({ id, status: 'loaded' as const })) });
		const slotsOf = (model: string) => ({ total_slots: model === 'a' ? 1 : 8 });
		server.route('GET /props', ({ query }) => {
			const model = query.get('model');
			return reply.json(model === null ? { role: 'router' } : slotsOf(model));
		});
		expect((await check(server.url)).slots?.total).toBeNull();
		const needed = await check(server.url, { expectations: { model: 'a' } }, { maxConcurrentRequests: 4 });
		expect(needed.slots?.total).toBe(1);
		expect(finding(needed, 'moreRequestsThanSlots').observed).toContain('total_slots 1');
	});

	it('the short context of an embedding model beside a chat model is no reason for a warning', async () => {
		await sim({ profile: 'router', models: ['chat', 'embed'].map((id) => ({ id, status: 'loaded' as const })) });
		const entry = (id: string, more: string[]) => ({
			id,
			owned_by: 'llamacpp',
			status: { value: 'loaded', args: ['llama-server', ...more] },
		});
		server.route('GET /v1/models', reply.json({ data: [entry('chat', []), entry('embed', ['--embeddings'])] }));
		server.route('GET /props', ({ query }) => {
			const model = query.get('model');
			const context = { default_generation_settings: { n_ctx: model === 'chat' ? 32_768 : 512 }, total_slots: 1 };
			return reply.json(model === null ? { role: 'router' } : context);
		});
		const both = await check(server.url);
		expect(both).toMatchObject({ status: 'healthy', contextPerSlot: 32_768 });
		expect(ids(both)).not.toContain('contextSmall');
		const embed = await check(server.url, { expectations: { model: 'embed' } });
		expect(embed.contextPerSlot).toBe(512);
	});

	it('never shows a key out of the command line of a model', async () => {
		await sim({ profile: 'router' });
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
				data: [{ id: 'x', owned_by: 'llamacpp', status: { value: 'unloaded', failed: true, exit_code: 1, args } }],
			}),
		);
		const result = await check(server.url);
		expect(finding(result, 'modelFailed').advice).toMatch(
			/It was started with: --api-key \*\*\* --api-key=\*\*\* --hf-token \*\*\* --ctx-size 512$/,
		);
		expect(JSON.stringify(result)).not.toMatch(/child-key|hf_token_3/);
	});

	it('a needed model is missing, unloaded, loading, or not loaded by itself (row 19)', async () => {
		await sim({
			profile: 'router',
			models: [
				{ id: 'big', status: 'loading' },
				{ id: 'small', aliases: ['tiny'], status: 'unloaded' },
			],
			autoload: false,
		});
		const missing = await check(server.url, { expectations: { model: 'qwen' } });
		expect(missing.status).toBe('misconfigured');
		expect(finding(missing, 'modelMissing').advice).toMatch(/^Use one of: big, small\..*--models-dir/);
		expect(await check(server.url, { expectations: { model: 'big' } })).toMatchObject({
			status: 'loading',
			findings: [{ id: 'modelLoading' }],
		});
		const off = await check(server.url, { expectations: { model: 'tiny' } });
		expect(off.status).toBe('misconfigured');
		expect(finding(off, 'modelNotLoadedForGood').advice).toContain('Load Model');
		await server.close();
		await sim({ profile: 'router', models: [{ id: 'small', status: 'unloaded' }] });
		const byItself = await check(server.url, { expectations: { model: 'small' } });
		expect(byItself.status).toBe('healthy');
		expect(finding(byItself, 'modelNotLoaded').severity).toBe('info');
	});

	it('has no models at all', async () => {
		await sim({ profile: 'router', models: [] });
		server.route('GET /props', reply.json({ role: 'router', models_autoload: true, build_info: 'b1' }));
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'misconfigured', server: { kind: 'llamaRouter' } });
		expect(finding(result, 'noModels').advice).toContain('--models-dir');
	});
});

describe('Ollama', () => {
	const models = [
		{ id: 'qwen3:latest', tools: true, thinking: true, nCtx: 32768 },
		{ id: 'llava:7b', vision: true },
	];

	it('is recognised by /api/version, its models by what /api/show and /api/ps say', async () => {
		await sim({ profile: 'ollama', models });
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

	it('runs on the CPU, or half in the GPU', async () => {
		await sim({ profile: 'ollama', models: [{ id: 'a' }] });
		expect(finding(await check(server.url), 'partlyOnCpu').meaning).toBe('Ollama runs the model "a" on the CPU');
		server.route(
			'GET /api/ps',
			reply.json({ models: [{ name: 'a', size: 1000, size_vram: 400, context_length: 4096 }] }),
		);
		expect(finding(await check(server.url), 'partlyOnCpu').meaning).toBe(
			'Only 40 % of the model "a" is in the memory of the GPU',
		);
		server.route(
			'GET /api/ps',
			reply.json({ models: [{ name: 'a', size: 1000, size_vram: 1000, context_length: 4096 }] }),
		);
		expect(await check(server.url)).toMatchObject({ healthy: true, findings: [] });
	});

	it('a needed model is named with or without its tag; one that is missing can be fetched', async () => {
		await sim({ profile: 'ollama', models });
		expect(ids(await check(server.url, { expectations: { model: 'qwen3', tools: true } }))).not.toContain(
			'modelMissing',
		);
		const result = await check(server.url, { expectations: { model: 'mistral' } });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'modelMissing').advice).toContain('ollama pull mistral');
	});

	it('knows what each model can do', async () => {
		await sim({ profile: 'ollama', models });
		const result = await check(server.url, {
			expectations: { model: 'llava:7b', tools: true, embeddings: true, rerank: true, minContext: 16384 },
		});
		expect(ids(result)).toEqual(
			expect.arrayContaining(['toolsUnsupported', 'embeddingsOff', 'rerankOff', 'contextTooSmall']),
		);
		expect(finding(result, 'rerankOff').advice).toContain('Ollama has no rerank route');
		expect(finding(result, 'embeddingsOff').advice).toContain('ollama pull nomic-embed-text');
		expect(finding(result, 'contextTooSmall').advice).toContain('OLLAMA_CONTEXT_LENGTH=16384');
	});

	it('has no models, or no /v1 routes at this path (row 17)', async () => {
		await sim({ profile: 'ollama', models: [] });
		server.route('GET /v1/models', reply.json({ object: 'list', data: null }));
		expect(finding(await check(server.url), 'noModels').advice).toContain('ollama pull');
		server.route('GET /v1/models', reply.error(404, '404 page not found'));
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'misconfigured', server: { kind: 'ollama' } });
		expect(finding(result, 'ollamaWithoutV1').advice).toContain(`Type ${server.url} as base URL`);
	});
});

describe('GPUStack', () => {
	it('is recognised by /version, its key is checked', async () => {
		await sim({ profile: 'gpustack', models: [{ id: 'qwen3-32b' }] });
		expect(await check(server.url)).toMatchObject({
			status: 'healthy',
			server: { kind: 'gpustack', version: '2.0.1' },
			models: [{ id: 'qwen3-32b', loaded: true }],
		});
		const wrong = await check(server.url, {}, { apiKey: 'wrong' });
		expect(wrong).toMatchObject({ status: 'unauthorized', server: { kind: 'gpustack' } });
		expect(finding(wrong, 'unauthorized').observed).toContain('Invalid authentication credentials');
	});

	it('reranks under /v1 only, lists only what runs and is allowed (row 19)', async () => {
		await sim({ profile: 'gpustack', models: [{ id: 'qwen3-32b' }] });
		const result = await check(`${server.url}/v1-openai`, { expectations: { rerank: true, model: 'bge' } });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'rerankOnlyUnderV1').advice).toContain(`Type ${server.url} as base URL`);
		expect(finding(result, 'modelMissing').advice).toContain('only while an instance runs and the key may use it');
		server.route('GET /v1/models', reply.json({ object: 'list', data: [] }));
		expect(finding(await check(server.url), 'noModels').advice).toContain('Deploy a model in GPUStack');
	});
});

describe('vLLM', () => {
	it('is recognised by its models and its empty /health, context and queue are read', async () => {
		await sim({ profile: 'vllm', models: [{ id: 'Qwen/Qwen3-8B', nCtx: 40960 }] });
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
		await sim({ profile: 'vllm' });
		const wrong = await check(server.url, {}, { apiKey: 'wrong' });
		expect(wrong).toMatchObject({ status: 'unauthorized', server: { kind: 'vllm' } });
		const style = await check(server.url, {}, { authentication: 'xApiKey' });
		expect(finding(style, 'unauthorized').advice).toContain('change Authentication');
	});

	it('does not say what its models can do', async () => {
		await sim({ profile: 'vllm' });
		const result = await check(server.url, {
			expectations: { vision: true, tools: true, embeddings: true, rerank: true },
		});
		expect(result.status).toBe('healthy');
		expect(ids(result)).toEqual(['notTold', 'notTold', 'notTold', 'notTold']);
	});
});

describe('a FastAPI server', () => {
	it('is an OpenAI-compatible server of no particular kind', async () => {
		await sim({ profile: 'fastapi' });
		expect(await check(server.url)).toMatchObject({
			status: 'healthy',
			server: { kind: 'openAiCompatible', version: null },
			models: [{ id: 'sim-model' }],
		});
	});

	it('wants its key: 403 without, 401 with a wrong one', async () => {
		await sim({ profile: 'fastapi' });
		const none = await check(server.url, {}, { apiKey: '' });
		expect(none).toMatchObject({ status: 'unauthorized', server: { kind: 'openAiCompatible' } });
		expect(finding(none, 'unauthorized').observed).toContain('Not authenticated');
		expect(finding(await check(server.url, {}, { apiKey: 'wrong' }), 'unauthorized').observed).toContain(
			'Invalid API key',
		);
	});
});
