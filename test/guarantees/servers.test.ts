/** Promises to users. Servers. */
import { CHAT, LLAMA_SERVER, ollama, silence, text } from './support/responses';
import { useClock } from './support/fake-clock';
import { failureOf, model, modelList, run, serverHealth } from './support/node-runner';
import { json, sendJson, useServers } from '../support/servers/scripted-server';
import type { Answer, Routes, ScriptedServer } from '../support/servers/scripted-server';

const start = useServers();
const getRoutes = ({ requests }: ScriptedServer) =>
	requests.map(({ method, path }) => `${method} ${path}`);

const routerModels = (states: Record<string, string>) => ({
	object: 'list',
	data: Object.entries(states).map(([id, value]) => ({
		id,
		object: 'model',
		owned_by: 'llamacpp',
		created: 1,
		status: { value, args: [], preset: '' },
		in_cache: true,
		path: '',
	})),
});
/** A router: a request for a model loads it, unless autoload is off. */
const router = (states: Record<string, string>, more: Routes = {}): Routes => ({
	'GET /v1/models': (_request, response) => sendJson(response, routerModels(states)),
	'GET /models': (_request, response) => sendJson(response, routerModels(states)),
	'GET /props': json({ role: 'router', models_autoload: true, max_instances: 4 }),
	'GET /health': json({ status: 'ok' }),
	'POST /models/load': (request, response) => {
		states[String(request.body.model)] = 'loaded';
		sendJson(response, { success: true });
	},
	'POST /models/unload': (request, response) => {
		states[String(request.body.model)] = 'unloaded';
		sendJson(response, { success: true });
	},
	'GET /metrics': json(
		{ error: { code: 501, message: 'This server does not support metrics' } },
		501,
	),
	...more,
});

describe('lists and checks load nothing and wake nothing', () => {
	/** Everything that looks. */
	const look = async (url: string) => {
		await modelList(url);
		await run(url, 'model:getAll', { parameters: { options: {} } });
		await serverHealth(url, { expectations: {} });
		await serverHealth(url, { expectations: {}, operation: 'waitUntilReady' });
	};

	test('a router: no request that would load a model', async () => {
		const server = await start(router({ small: 'loaded', large: 'unloaded', idle: 'sleeping' }));
		await look(server.url);
		expect(server.requests.length).toBeGreaterThan(3);
		for (const request of getRoutes(server)) {
			expect(request).toMatch(/^GET /);
			if (request.includes('model=')) expect(request).toContain('autoload=false');
			expect(request).not.toMatch(/model=(large|idle)/);
		}
	});

	test('a sleeping llama-server: no generation', async () => {
		const server = await start({
			...LLAMA_SERVER,
			'GET /props': json({
				total_slots: 1,
				is_sleeping: true,
				default_generation_settings: { n_ctx: 4096 },
			}),
			'GET /health': json({ status: 'ok' }),
			[`POST ${CHAT}`]: text('Awake.'),
		});
		await look(server.url);
		// Unlike /props, the route of the slots wakes a model.
		for (const request of getRoutes(server)) expect(request).toMatch(/^GET (?!\/slots)/);
	});

	test('an Ollama: installed and loaded models, and no generation', async () => {
		const server = await start({ ...ollama(), 'GET /api/ps': json({ models: [] }) });
		await look(server.url);
		for (const request of getRoutes(server)) expect(request).toMatch(/^GET |^POST \/api\/show$/);
	});

	test('a LiteLLM: never /health, which calls every model', async () => {
		const alive: Answer = json('"I\'m alive!"');
		const server = await start({
			'GET /v1/models': json({
				object: 'list',
				data: [{ id: 'gpt', object: 'model', created: 1677610602, owned_by: 'openai' }],
			}),
			'GET /health/liveliness': alive,
			'GET /health/liveness': alive,
			'GET /health/readiness': json({ status: 'connected', litellm_version: '1.106.2' }, 200, {
				server: 'uvicorn',
				'x-litellm-version': '1.106.2',
			}),
		});
		await look(server.url).catch(() => undefined);
		await serverHealth(server.url, { expectations: {} });
		expect(getRoutes(server)).not.toContain('GET /health');
		for (const request of getRoutes(server)) expect(request).toMatch(/^GET /);
	});
});

describe('Unload', () => {
	const big = { model: model('big') };
	const busy = (isBusy: boolean) => [
		{ id: 0, is_processing: isBusy },
		{ id: 1, is_processing: false },
	];
	const clock = useClock();

	test('waits for a running response, then frees the model', async () => {
		const server = await start(
			router(
				{ big: 'loaded' },
				{ 'GET /slots': [json(busy(true)), json(busy(true)), json(busy(false))] },
			),
		);
		const [item] = await clock.passUntil(run(server.url, 'model:unload', { parameters: big }));
		expect(item!.json).toMatchObject({ state: 'unloaded' });
		const order = getRoutes(server);
		expect(order.filter((request) => request.startsWith('GET /slots'))).toHaveLength(3);
		expect(order.findLastIndex((request) => request.startsWith('GET /slots'))).toBeLessThan(
			order.indexOf('POST /models/unload'),
		);
	});

	test.each<[string, Routes]>([
		['slots', { 'GET /slots': json(busy(true)) }],
		[
			'metrics',
			{ 'GET /metrics': (_request, response) => response.end('llamacpp:requests_processing 1\n') },
		],
		[
			'metrics, where it waits',
			{
				'GET /metrics': (_request, response) =>
					response.end('llamacpp:requests_processing 0\nllamacpp:requests_deferred 1\n'),
			},
		],
	])('without waiting is rejected during a response, seen in its %s', async (_where, routes) => {
		const server = await start(router({ big: 'loaded' }, routes));
		const parameters = { ...big, options: { wait: false } };
		const failed = await failureOf(run(server.url, 'model:unload', { parameters }));
		expect(failed.message).toMatch(/big.*processing 1 request/s);
		expect(getRoutes(server)).not.toContain('POST /models/unload');
	});

	test('that times out while waiting does not unload the model, and reports the reason', async () => {
		const server = await start(router({ big: 'loaded' }, { 'GET /slots': json(busy(true)) }));
		const parameters = { ...big, options: { timeout: 20 } };
		const failed = await clock.passUntil(
			failureOf(run(server.url, 'model:unload', { parameters })),
		);
		expect(failed.message).toMatch(/still processing 1 request/);
		expect(getRoutes(server)).not.toContain('POST /models/unload');
	});

	test('ends running responses with Force Unload', async () => {
		const server = await start(router({ big: 'loaded' }, { 'GET /slots': json(busy(true)) }));
		const parameters = { ...big, options: { force: true } };
		const [item] = await clock.passUntil(run(server.url, 'model:unload', { parameters }));
		expect(item!.json).toMatchObject({ state: 'unloaded' });
	});

	test('reports that the model of an Ollama stays in memory while it responds', async () => {
		const server = await start({
			...ollama(),
			'POST /api/generate': json({
				model: 'qwen3:latest',
				response: '',
				done: true,
				done_reason: 'unload',
			}),
		});
		const parameters = { model: model('qwen3:latest'), options: { timeout: 20 } };
		const failed = await clock.passUntil(
			failureOf(run(server.url, 'model:unload', { parameters })),
		);
		expect(failed.message).toMatch(/still in memory/);
		expect(server.sent('/api/generate')).toMatchObject([{ keep_alive: 0 }]);
	});
});

test('a list that never arrives times out, and its request is closed', async () => {
	const server = await start({ ...LLAMA_SERVER, 'GET /v1/models': silence });
	const stop = new AbortController();
	const failed = failureOf(run(server.url, 'model:getAll', { signal: stop.signal }));
	const [request] = await server.arrived('/models');
	stop.abort();
	await request!.cut;
	expect((await failed).message).toMatch(/cancel|stop/i);
});
