import { closePools } from '../../../lib/http/dispatcher';
import {
	addDataset,
	addDocument,
	type AppSpec,
	type DifySim,
	knowledgeKey,
	startDifySim,
} from '../../simulators/dify';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { closedPort } from '../../support/listen';
import { closeRawServers, rawServer, completeResponse } from '../../support/raw-http-server';
import { check, checkDify, finding, ids } from './support';

const APP = 'app-HealthHealthHealthHealth';
const running: Array<{ close(): Promise<void> }> = [];

async function dify(
	app: Partial<AppSpec> = {},
	options: Parameters<typeof startDifySim>[0] = {},
): Promise<DifySim> {
	const sim = await startDifySim({ apps: [{ mode: 'chat', key: APP, ...app }], ...options });
	running.push(sim);
	return sim;
}

afterEach(async () => {
	await closePools();
	await closeRawServers();
	await Promise.all(running.splice(0).map(async (server) => await server.close()));
});

describe('Dify', () => {
	it('healthy: its version, the app and its type', async () => {
		const sim = await dify({ name: 'Helper' }, {});
		const result = await checkDify(sim.url, { apiKey: APP, keyType: 'app' });
		expect(result).toMatchObject({
			status: 'healthy',
			server: { url: sim.url, type: 'dify' },
			app: { name: 'Helper', mode: 'chat' },
			findings: [{ id: 'difyPartlyChecked', severity: 'info' }],
		});
		// Worker, plugin daemon, Redis and the model behind Dify may still be down.
		expect(finding(result, 'difyPartlyChecked').detail).toMatch(
			/worker.*plugin daemon.*Redis.*model server/,
		);
		expect(result.server.version).toMatch(/^1\.1\d\.\d$/);
		expect(result).not.toHaveProperty('models');
		expect(sim.runs).toHaveLength(0);
		expect(sim.requests.every(({ method }) => method === 'GET')).toBe(true);
	});

	it('the app API is disabled', async () => {
		const sim = await dify({ apiEnabled: false }, {});
		const result = await checkDify(sim.url, { apiKey: APP });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'difyAppDisabled').detail).toBe(
			"The app's API service has been disabled.",
		);
		expect(finding(result, 'difyAppDisabled').suggestion).toContain('Backend service API');
	});

	it.each([
		{ exists: false },
		{ status: 'abnormal' as const },
		{ workspace: 'archived' as const },
		{ workspace: 'missing' as const },
	])('the app is not usable: %j', async (state) => {
		const sim = await dify(state, {});
		const result = await checkDify(sim.url, { apiKey: APP });
		expect(result.status).toBe('misconfigured');
		expect(ids(result)).toEqual(['difyAppInactive']);
	});

	it.each([
		['advanced-chat', { published: false }],
		['workflow', { published: false }],
		['chat', { configured: false }],
	] as const)('nothing is published or configured: %s', async (mode, state) => {
		const sim = await dify({ mode, ...state }, {});
		const result = await checkDify(sim.url, { apiKey: APP });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'difyAppUnavailable').observed).toContain(
			'/parameters: HTTP 400 app_unavailable',
		);
		expect(finding(result, 'difyAppUnavailable').suggestion).toContain(
			'select a model and publish it',
		);
		expect(result.app).toEqual({ name: expect.any(String) as string, mode });
	});
});

it('a New Agent that was never published', async () => {
	const sim = await dify({ mode: 'agent', published: false });
	expect(
		finding(await checkDify(sim.url, { apiKey: APP }), 'difyNotPublished').suggestion,
	).toContain('Publish the app');
});

describe('servers that are not Dify', () => {
	it.each([
		['a name', { name: 'my-service', version: '1.2.3' }],
		['a name and a mode that is no text', { name: 'camera', mode: 3 }],
		['an error in JSON with status 200', { error: 'no such route' }],
		['an empty object', {}],
	])('a program that answers everything with %s', async (_name, body) => {
		const url = await rawServer(
			completeResponse('200 OK', JSON.stringify(body), { 'Content-Type': 'application/json' }),
		);
		for (const keyType of ['app', 'knowledge']) {
			const result = await checkDify(`${url}/v1`, { apiKey: APP, keyType });
			expect(result).toMatchObject({ status: 'misconfigured', healthy: false });
			expect(ids(result)).toEqual(['notDify']);
		}
	});
});

describe('the key', () => {
	it('is unknown, or missing', async () => {
		const sim = await dify();
		const wrong = await checkDify(sim.url, { apiKey: 'app-UnknownUnknownUnknownUnk' });
		expect(wrong).toMatchObject({ status: 'unauthorized', server: { type: 'dify' } });
		expect(finding(wrong, 'difyUnauthorized').observed).toContain(
			'/info: HTTP 401 unauthorized, "Access token is invalid"',
		);
		expect(finding(wrong, 'difyUnauthorized').suggestion).toContain('API Access');
		expect(JSON.stringify(wrong)).not.toContain('UnknownUnknown');
		const missing = await checkDify(sim.url, { apiKey: '' });
		expect(finding(missing, 'difyUnauthorized')).toMatchObject({
			detail: 'Dify rejected the API key',
			observed: expect.stringContaining('Authorization header must be provided'),
		});
	});

	it('belongs to the other family', async () => {
		const sim = await dify();
		const knowledge = await checkDify(sim.url, { apiKey: knowledgeKey(), keyType: 'app' });
		expect(knowledge.status).toBe('unauthorized');
		expect(finding(knowledge, 'difyWrongKeyType').detail).toBe(
			'This is a knowledge base key, but an app key is required',
		);
		const app = await checkDify(sim.url, { apiKey: APP, keyType: 'knowledge' });
		expect(finding(app, 'difyWrongKeyType').detail).toBe(
			'This is an app key, but a knowledge base key is required',
		);
	});

	it('of a knowledge base is accepted if one is expected', async () => {
		const sim = await dify();
		const result = await checkDify(sim.url, { apiKey: knowledgeKey(), keyType: 'knowledge' });
		expect(result.status).toBe('healthy');
		expect(ids(result)).toEqual(['difyPartlyChecked']);
		expect(result).not.toHaveProperty('app');
		expect(result.summary).toMatch(/^Dify [\d.]+ responds in \d+ ms with \d+ knowledge bases?\.$/);
	});
});

describe('proxies in front of Dify', () => {
	it('a proxy whose Dify is down', async () => {
		const sim = await dify();
		sim.fail({
			times: 10,
			status: 502,
			body: '<html><head><title>502 Bad Gateway</title></head></html>',
		});
		const result = await checkDify(sim.url, { apiKey: APP });
		expect(result.status).toBe('unreachable');
		expect(finding(result, 'difyBadGateway').detail).toBe(
			'A proxy responds with 502, but Dify behind it does not',
		);
		expect(finding(result, 'difyBadGateway').suggestion).not.toContain('started');
	});

	it('Dify returns internal errors', async () => {
		const sim = await dify();
		sim.fail({
			path: '/info',
			status: 500,
			contentType: 'application/json',
			body: '{"message":"Internal Server Error","code":"unknown","status":500}',
		});
		expect(await checkDify(sim.url, { apiKey: APP })).toMatchObject({
			status: 'degraded',
			findings: [{ id: 'difyServerError' }],
		});
	});

	it('does not respond to one request only', async () => {
		const sim = await dify();
		sim.fail({ path: '/parameters', how: 'silence' });
		const result = await checkDify(sim.url, { apiKey: APP }, { timeoutMs: 2000 });
		expect(result).toMatchObject({ status: 'unreachable', findings: [{ id: 'noResponse' }] });
	});
});

describe('the address', () => {
	it('leads to the web front end', async () => {
		const sim = await dify();
		const result = await checkDify(`${sim.origin}/apps`, { apiKey: APP });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'difyRouteNotFound').suggestion).toContain('usually ends in /v1');
	});

	it('leads to a closed port: the suggestion is about Dify, not about llama-server', async () => {
		const port = await closedPort();
		const result = await checkDify(`http://127.0.0.1:${port}/v1`, { apiKey: APP });
		expect(result).toMatchObject({
			status: 'unreachable',
			summary: 'Dify is unreachable, with 1 error.',
			server: { url: `http://127.0.0.1:${port}/v1` },
		});
		expect(result).not.toHaveProperty('app');
		expect(finding(result, 'connectionRefused').suggestion).toContain('docker compose ps');
		expect(JSON.stringify(result)).not.toContain('llama');
	});

	it('leads to a llama-server, or vice versa', async () => {
		const llama = await startLlamaServerSim();
		running.push(llama);
		expect(ids(await checkDify(llama.url, { apiKey: APP }))).toEqual(['modelServerDetected']);
		const sim = await dify();
		const result = await check(sim.origin);
		expect(result).toMatchObject({ status: 'misconfigured', server: { type: 'dify' } });
		expect(finding(result, 'difyDetected').suggestion).toContain(`Base URL is ${sim.url}`);
	});
});

describe('the worker of Dify', () => {
	const KNOWLEDGE = { apiKey: knowledgeKey(), keyType: 'knowledge' };
	const waitingSince = async (minutes: number) => {
		const sim = await dify();
		const base = addDataset(sim.store, { name: 'Animals', technique: 'high_quality' });
		addDocument(sim.store, base, { name: 'llama.txt', text: 'The llama lives in the Andes.' });
		const created = Math.round(Date.now() / 1000) - minutes * 60;
		const data = [{ id: '1', name: 'puma.txt', indexing_status: 'waiting', created_at: created }];
		sim.fail({
			path: `/datasets/${base.id}/documents`,
			status: 200,
			contentType: 'application/json',
			body: JSON.stringify({ data, has_more: false, limit: 20, total: 1, page: 1 }),
		});
		return await checkDify(sim.url, KNOWLEDGE);
	};

	it('is down if a document waits for long', async () => {
		const result = await waitingSince(12);
		expect(result.status).toBe('degraded');
		expect(finding(result, 'difyWorkerDown')).toMatchObject({
			observed: 'The document "puma.txt" has been waiting for 12 minutes',
			suggestion: expect.stringMatching(/docker compose ps.*only send pings/) as string,
		});
	});

	it('may take its time with a document that was just sent', async () => {
		expect(ids(await waitingSince(1))).toEqual(['difyPartlyChecked']);
	});
});

describe('the last run of a workflow app', () => {
	const after = async (error: string) => {
		const sim = await dify({ mode: 'workflow' });
		const data = [{ id: '1', workflow_run: { status: 'failed', error } }];
		sim.fail({
			path: '/workflows/logs',
			status: 200,
			contentType: 'application/json',
			body: JSON.stringify({ page: 1, limit: 1, total: 1, has_more: false, data }),
		});
		return await checkDify(sim.url, { apiKey: APP });
	};

	it('failed for the model behind Dify: a warning', async () => {
		const result = await after(
			'[openai_api_compatible] Connection Error, HTTPConnectionPool(host=10.0.0.9, port=8080): Max retries exceeded: Connection refused',
		);
		expect(result.healthy).toBe(true);
		expect(result.findings[0]).toMatchObject({
			id: expect.stringMatching(/^difyProvider/) as string,
			severity: 'warning',
			observed: expect.stringContaining('The last run of the app failed') as string,
		});
	});

	it('failed for a reason within the app: not a finding', async () => {
		expect(ids(await after('division by zero'))).toEqual(['difyPartlyChecked']);
	});
});
