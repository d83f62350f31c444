import { listModels } from '../../../lib/servers/list-models';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';
import { createDeferred } from '../../support/waiting/deferred';
import { setImmediate } from 'node:timers';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { LLAMA, list, serve } from './json-server';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const serveScript = useSimulator(startScripted);

afterEach(() => jest.restoreAllMocks());

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');
const MODELS = { object: 'list', data: [{ id: 'a', owned_by: 'llamacpp' }] };
const MINUTES = 60_000;

/** A llama-server whose responses to these paths wait for a promise. */
async function startServer(waits: Record<string, Promise<void>> = {}, prefix = '/v1') {
	const scripted = await serveScript(async ({ path }, response) => {
		await waits[path];
		if (path === `${prefix}/models`) return sendJson(response, MODELS);
		if (path.startsWith('/props')) return sendJson(response, { total_slots: 2 });
		return sendJson(response, { detail: 'Not Found' }, 404);
	});
	return {
		connect: (apiKey = KEY) => createModelServer({ baseUrl: scripted.url, apiKey }, NO_EXECUTION),
		requested: () => scripted.requests.map(({ method, path }) => `${method} ${path}`),
		arrived: async (path: string) => {
			while (!scripted.requests.some((request) => request.path === path))
				await new Promise((resolve) => setImmediate(resolve));
		},
	};
}

/** Passes time for everything that expires. */
function pass(ms: number): void {
	const now = performance.now.bind(performance);
	jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}

describe('two items that share a profile', () => {
	test('both get the type if one forgets it during the identification', async () => {
		const deferred = createDeferred();
		const { connect, requested, arrived } = await startServer({ '/v1/models': deferred.wait });
		const first = getProfile(connect()).fetchType();
		await arrived('/v1/models');
		const second = getProfile(connect());
		second.forget();
		const types = Promise.all([first, second.fetchType()]);
		deferred.open();
		expect((await types).map(({ name }) => name)).toEqual(['llamaServer', 'llamaServer']);
		expect(requested()).toEqual(['GET /v1/models']);
	});

	test('properties that were requested before one forgets them are not kept', async () => {
		const deferred = createDeferred();
		const { connect, requested, arrived } = await startServer({ '/props': deferred.wait });
		const first = getProfile(connect()).fetchProps();
		await arrived('/props');
		getProfile(connect()).forget();
		deferred.open();
		expect(await first).toMatchObject({ slots: 2 });
		expect(getProfile(connect()).getCachedSlots()).toBeUndefined();
		expect(await getProfile(connect()).fetchProps()).toMatchObject({ slots: 2 });
		expect(requested().filter((path) => path === 'GET /props')).toHaveLength(2);
	});
});

describe('what is known of a server', () => {
	const routes = { missingUrls: ['http://a/v1/rerank'] };
	const NOTHING = { missingUrls: [] };

	test('belongs to one credential', async () => {
		const { connect } = await startServer({}, '');
		const server = connect();
		await listModels(server);
		await getProfile(server).fetchProps('a');
		getProfile(server).storeKnownRoutes('rerank', routes);
		getProfile(server).replaceContextSize('a', 4096);
		const same = connect();
		const other = connect('another-key-with-1-digit');
		expect([same, other].map(({ getApiUrl }) => new URL(getApiUrl()).pathname)).toEqual([
			'/',
			'/v1',
		]);
		expect([same, other].map((one) => getProfile(one).getCachedType()?.name)).toEqual([
			'llamaServer',
			undefined,
		]);
		expect([same, other].map((one) => getProfile(one).getCachedSlots('a'))).toEqual([2, undefined]);
		expect([same, other].map((one) => getProfile(one).getKnownRoutes('rerank'))).toEqual([
			routes,
			NOTHING,
		]);
		expect([same, other].map((one) => getProfile(one).replaceContextSize('a', 1))).toEqual([
			4096,
			undefined,
		]);
	});

	test('expires after ten minutes', async () => {
		const { connect } = await startServer({}, '');
		const server = connect();
		await listModels(server);
		await getProfile(server).fetchProps('a');
		getProfile(server).storeKnownRoutes('rerank', routes);
		getProfile(server).replaceContextSize('a', 4096);
		pass(10 * MINUTES);
		const profile = getProfile(server);
		expect(profile.getCachedType()).toBeUndefined();
		expect(profile.getOnlyModel()).toBeUndefined();
		expect(profile.getCachedSlots('a')).toBeUndefined();
		expect(profile.getKnownRoutes('rerank')).toEqual(NOTHING);
		expect(profile.replaceContextSize('a', 1)).toBeUndefined();
		expect(new URL(profile.getApiUrl()).pathname).toBe('/v1');
	});

	test('is bounded for each server', async () => {
		const { connect } = await startServer();
		const profile = getProfile(connect());
		const other = getProfile((await startServer()).connect());
		other.storeKnownRoutes('key 0', routes);
		for (let at = 0; at < 51; at++) {
			profile.storeKnownRoutes(`key ${at}`, routes);
			profile.replaceContextSize(`model ${at}`, 4096);
		}
		expect(profile.getKnownRoutes('key 0')).toEqual(NOTHING);
		expect(profile.getKnownRoutes('key 50')).toEqual(routes);
		expect(other.getKnownRoutes('key 0')).toEqual(routes);
		expect(profile.replaceContextSize('model 0', 1)).toBeUndefined();
	});
});

test('what a server taught does not apply to its successor at the same address', () => {
	const profile = getProfile(
		createModelServer({ baseUrl: 'http://127.0.0.1:9/successor' }, NO_EXECUTION),
	);
	const listOf = (owner: string) => ({
		status: 200,
		headers: {},
		finalUrl: 'http://127.0.0.1:9/successor/v1/models',
		text: '',
		json: { object: 'list', data: [{ id: 'm', object: 'model', owned_by: owner }] },
	});
	const readAll = () => ({
		type: profile.getCachedType()?.name,
		missingUrls: profile.getKnownRoutes('chat m').missingUrls,
		lastingFailure: profile.getLastingFailure('chat m'),
		startsInReasoning: profile.startsInReasoning('m'),
	});
	profile.learnType(listOf('llamacpp'));
	profile.storeKnownRoutes('chat m', { missingUrls: ['/v1/responses'] });
	profile.storeLastingFailure('chat m', 'boom');
	profile.storeReasoningStart('m', true);
	profile.replaceContextSize('m', 4096);
	const known = {
		type: 'llamaServer',
		missingUrls: ['/v1/responses'],
		lastingFailure: 'boom',
		startsInReasoning: true,
	};
	profile.learnType(listOf('llamacpp'));
	expect(readAll()).toEqual(known);
	profile.learnType(listOf('vllm'));
	expect(readAll()).toEqual({
		type: 'vllm',
		missingUrls: [],
		lastingFailure: undefined,
		startsInReasoning: false,
	});
	expect(profile.replaceContextSize('m', 8192)).toBeUndefined();
});

test('the tokens of a template stay until another type of server is recognized', async () => {
	const baseUrl = 'http://127.0.0.1:9/template';
	const profile = getProfile(createModelServer({ baseUrl }, NO_EXECUTION));
	const recognize = (owner: string) =>
		profile.learnType({
			status: 200,
			headers: {},
			finalUrl: '',
			text: '',
			json: { object: 'list', data: [{ id: 'm', object: 'model', owned_by: owner }] },
		});
	const read = async (token: string) =>
		await profile.fetchTemplateTokens('m', { templateTokens: [token] });
	recognize('llamacpp');
	expect(await read('<|first|>')).toEqual(['<|first|>']);
	recognize('llamacpp');
	expect(await read('<|second|>')).toEqual(['<|first|>']);
	recognize('vllm');
	expect(await read('<|second|>')).toEqual(['<|second|>']);
});

test('the properties of at most 50 models per server are cached', async () => {
	const { server, requested } = await serve(
		{ 'GET /v1/models': list({ id: 'a' }), 'GET /props': { total_slots: 2 } },
		LLAMA,
	);
	const countFor = async (model: string) => {
		const before = requested().length;
		await getProfile(server).fetchProps(model);
		return requested().length - before;
	};
	await countFor('first');
	for (let at = 0; at < 49; at++) await countFor(`m${at}`);
	expect(await countFor('first')).toBe(0);
	await countFor('one more');
	expect(await countFor('first')).toBe(0);
	expect(await countFor('m0')).toBeGreaterThan(0);
});
