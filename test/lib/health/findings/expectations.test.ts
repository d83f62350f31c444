import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import type { Expectations } from '../../../../lib/health/observations';
import { closeRawServers, rawServer, whole } from '../../../support/raw-answers';
import { check, finding, ids, json, JSON_TYPE, routes, SESAME } from '../support';
import { useSimulator } from '../../../servers/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;

afterEach(closeRawServers);

async function simWithKey(options: SimOptions = {}): Promise<LlamaServerSim> {
	server = await startServer({ apiKey: SESAME, ...options });
	return server;
}

describe('llama-server with one model', () => {
	it('has what is needed: no finding', async () => {
		await simWithKey({ vision: true, rerank: true, metrics: true });
		const result = await check(server.url, {
			expectations: { minContext: 8192, model: 'sim-model' },
		});
		expect(result).toMatchObject({
			status: 'healthy',
			findings: [],
			features: { embeddings: true, rerank: true },
		});
	});

	it('another model than the one that is named, which would answer in its place', async () => {
		await simWithKey();
		const result = await check(server.url, { expectations: { model: 'qwen3-8b' } });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'otherModel')).toMatchObject({ severity: 'error' });
		expect(finding(result, 'otherModel').advice).toContain('--alias qwen3-8b');
	});
});

describe("llama-server's router", () => {
	it('a model that failed makes it degraded; one that is needed makes it misconfigured (row 20)', async () => {
		await simWithKey({
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
		expect((await check(server.url, { expectations: { model: 'huge' } })).status).toBe(
			'misconfigured',
		);
	});

	it('a model that failed is no alarm where another one is needed, and that one is loaded', async () => {
		await simWithKey({
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
		expect((await check(server.url, { expectations: { model: 'monster' } })).status).toBe(
			'misconfigured',
		);
	});

	it('a needed model is missing, unloaded, loading, or not loaded by itself (row 19)', async () => {
		await simWithKey({
			profile: 'router',
			models: [
				{ id: 'big', status: 'loading' },
				{ id: 'small', aliases: ['tiny'], status: 'unloaded' },
			],
			autoload: false,
		});
		const missing = await check(server.url, { expectations: { model: 'qwen' } });
		expect(missing.status).toBe('misconfigured');
		expect(finding(missing, 'modelMissing').advice).toMatch(
			/^Use one of: big, small\..*--models-dir/,
		);
		expect(await check(server.url, { expectations: { model: 'big' } })).toMatchObject({
			status: 'loading',
			findings: [{ id: 'modelLoading' }],
		});
		const off = await check(server.url, { expectations: { model: 'tiny' } });
		expect(off.status).toBe('misconfigured');
		expect(finding(off, 'modelNotLoadedForGood').advice).toContain('Local Llama');
		await server.close();
		await simWithKey({ profile: 'router', models: [{ id: 'small', status: 'unloaded' }] });
		const byItself = await check(server.url, { expectations: { model: 'small' } });
		expect(byItself.status).toBe('healthy');
		expect(finding(byItself, 'modelNotLoaded').severity).toBe('info');
	});

	it('has no models at all', async () => {
		await simWithKey({ profile: 'router', models: [] });
		server.route(
			'GET /props',
			reply.json({ role: 'router', models_autoload: true, build_info: 'b1' }),
		);
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

	it('a needed model is named with or without its tag; one that is missing can be fetched', async () => {
		await simWithKey({ profile: 'ollama', models });
		expect(ids(await check(server.url, { expectations: { model: 'qwen3' } }))).not.toContain(
			'modelMissing',
		);
		const result = await check(server.url, { expectations: { model: 'mistral' } });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'modelMissing').advice).toContain('ollama pull mistral');
	});

	it('knows the context of each model', async () => {
		await simWithKey({ profile: 'ollama', models });
		const result = await check(server.url, {
			expectations: { model: 'llava:7b', minContext: 16384 },
		});
		expect(finding(result, 'contextTooSmall').advice).toContain('OLLAMA_CONTEXT_LENGTH=16384');
	});

	it('runs a model in the cloud: that is said, and a warning where it is the one that is needed', async () => {
		const cloud = { id: 'gpt-oss:120b-cloud', remoteHost: 'https://ollama.com:443' };
		await simWithKey({ profile: 'ollama', models: [{ id: 'qwen3:8b' }, cloud] });
		expect(finding(await check(server.url), 'runsElsewhere')).toMatchObject({
			severity: 'info',
			observed: '/api/tags says remote_host https://ollama.com:443',
		});
		const needed = async (model: string) => await check(server.url, { expectations: { model } });
		expect(finding(await needed(cloud.id), 'runsElsewhere').severity).toBe('warning');
		expect(ids(await needed('qwen3:8b'))).not.toContain('runsElsewhere');
	});

	it('has no models, or no /v1 routes at this path (row 17)', async () => {
		await simWithKey({ profile: 'ollama', models: [] });
		server.route('GET /v1/models', reply.json({ object: 'list', data: null }));
		expect(finding(await check(server.url), 'noModels').advice).toContain('ollama pull');
		server.route('GET /v1/models', reply.error(404, '404 page not found'));
		const result = await check(server.url);
		expect(result).toMatchObject({ status: 'misconfigured', server: { kind: 'ollama' } });
		expect(finding(result, 'ollamaWithoutV1').advice).toContain(`Type ${server.url} as Base URL`);
	});
});

describe('a list without models', () => {
	const checkEmptyList = async (expectations: Expectations, headers = {}) => {
		const models = whole('200 OK', '', { ...JSON_TYPE, ...headers });
		const ofUnknown = json('200 OK', { object: 'list', data: [] });
		const list = Object.keys(headers).length === 0 ? ofUnknown : models;
		return await check(
			await rawServer(routes({ '/v1/models': list })),
			{ expectations },
			{ apiKey: '' },
		);
	};

	it('of an unknown server: the model that is needed is missing', async () => {
		const result = await checkEmptyList({ model: 'qwen3:8b' });
		expect(result.status).toBe('misconfigured');
		expect(ids(result)).toEqual(expect.arrayContaining(['modelMissing', 'noModels']));
		expect(finding(result, 'modelMissing').advice).toContain('Start it with a model');
	});

	it('of an unknown server does not tell of its context', async () => {
		const result = await checkEmptyList({ minContext: 9999 });
		expect(ids(result).filter((id) => id === 'notTold')).toHaveLength(1);
	});

	it('of a server that should have models is explained by that alone', async () => {
		await simWithKey({ profile: 'ollama', models: [] });
		server.route('GET /v1/models', reply.json({ object: 'list', data: null }));
		const result = await check(server.url, { expectations: { model: 'qwen3:8b' } });
		expect(result.status).toBe('misconfigured');
		expect(ids(result)).not.toContain('modelMissing');
		expect(ids(result)).not.toContain('notTold');
	});
});
