import type { CheckOptions } from '../../../lib/health/check-options';
import { addDataset, addDocument, knowledgeKey, startDifySim } from '../../simulators/dify';
import type { AppSpec, Fault } from '../../simulators/dify';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { closedPort } from '../../support/servers/listen';
import {
	closeRawServers,
	rawServer,
	completeResponse,
} from '../../support/servers/raw-http-server';
import { check, checkDify, finding, ids } from './support';

const APP = 'app-HealthHealthHealthHealth';
const KNOWLEDGE = { apiKey: knowledgeKey(), keyType: 'knowledge' };
const start = useSimulator(startDifySim);
const startLlama = useSimulator(startLlamaServerSim);
afterEach(closeRawServers);

const dify = async (app: Partial<AppSpec> = {}) =>
	await start({ apps: [{ mode: 'chat', key: APP, ...app }] });

/** The check of an app in this state, of a Dify that fails in this way. */
async function checkApp(app: Partial<AppSpec> = {}, fault?: Fault, options: CheckOptions = {}) {
	const sim = await dify(app);
	if (fault !== undefined) sim.fail(fault);
	return await checkDify(sim.url, { apiKey: APP }, options);
}

/** A response with status 200. */
const respond = (path: string, body: object): Fault => ({
	path,
	status: 200,
	contentType: 'application/json',
	body: JSON.stringify(body),
});

describe('Dify', () => {
	it('healthy: its version, the app and its type', async () => {
		const sim = await dify({ name: 'Helper' });
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
		expect(sim.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
	});

	it('the app API is disabled', async () => {
		const result = await checkApp({ apiEnabled: false });
		expect(result.status).toBe('misconfigured');
		const { detail, suggestion } = finding(result, 'difyForbidden');
		expect(detail).toBe("The app's API service has been disabled.");
		expect(suggestion).toContain('The key is valid');
	});

	it.each([
		{ exists: false },
		{ status: 'abnormal' as const },
		{ workspace: 'archived' as const },
		{ workspace: 'missing' as const },
	])('the app is not usable: %j', async (state) => {
		const result = await checkApp(state);
		expect(result.status).not.toBe('healthy');
		expect(result.findings[0]!.suggestion).not.toMatch(/Copy the API key/);
	});

	it.each([
		['advanced-chat', { published: false }],
		['workflow', { published: false }],
		['chat', { configured: false }],
	] as const)('nothing is published or configured: %s', async (mode, state) => {
		const result = await checkApp({ mode, ...state });
		expect(result.status).toBe('misconfigured');
		const { observed, suggestion } = finding(result, 'difyAppUnavailable');
		expect(observed).toContain('/parameters: HTTP 400 app_unavailable');
		expect(suggestion).toContain('select a model and publish it');
		expect(result.app).toEqual({ name: expect.any(String) as string, mode });
	});
});

it('a New Agent that was never published', async () => {
	const result = await checkApp({ mode: 'agent', published: false });
	expect(finding(result, 'difyNotPublished').suggestion).toContain('Publish the app');
});

it.each([
	['a name', { name: 'my-service', version: '1.2.3' }],
	['a name and a mode that is no text', { name: 'camera', mode: 3 }],
	['an error in JSON with status 200', { error: 'no such route' }],
	['an empty object', {}],
])('servers that are not Dify: a program that answers everything with %s', async (_name, body) => {
	const url = await rawServer(
		completeResponse('200 OK', JSON.stringify(body), { 'Content-Type': 'application/json' }),
	);
	for (const keyType of ['app', 'knowledge']) {
		const result = await checkDify(`${url}/v1`, { apiKey: APP, keyType });
		expect(result).toMatchObject({ status: 'misconfigured', healthy: false });
		expect(ids(result)).toEqual(['notDify']);
	}
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
			detail: "Authorization header must be provided and start with 'Bearer'",
			observed: expect.stringContaining('Authorization header must be provided'),
		});
	});

	it('belongs to the other family', async () => {
		const sim = await dify();
		const knowledge = await checkDify(sim.url, { ...KNOWLEDGE, keyType: 'app' });
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
		const result = await checkDify(sim.url, KNOWLEDGE);
		expect(result.status).toBe('healthy');
		expect(ids(result)).toEqual(['difyPartlyChecked']);
		expect(result).not.toHaveProperty('app');
		expect(result.summary).toMatch(/^Dify [\d.]+ responds in \d+ ms with \d+ knowledge bases?\.$/);
	});
});

describe('proxies in front of Dify', () => {
	it('a proxy whose Dify is down', async () => {
		const body = '<html><head><title>502 Bad Gateway</title></head></html>';
		const result = await checkApp({}, { times: 10, status: 502, body });
		expect(result.status).toBe('unreachable');
		const { detail, suggestion } = finding(result, 'difyBadGateway');
		expect(detail).toBe('A proxy responds with 502, but Dify behind it does not');
		expect(suggestion).not.toContain('started');
	});

	it('Dify returns internal errors', async () => {
		const body = { message: 'Internal Server Error', code: 'unknown', status: 500 };
		expect(await checkApp({}, { ...respond('/info', body), status: 500 })).toMatchObject({
			status: 'degraded',
			findings: [{ id: 'difyServerError' }],
		});
	});

	it('does not respond to one request only', async () => {
		const fault = { path: '/parameters', how: 'silence' } as const;
		const result = await checkApp({}, fault, { timeoutMs: 2000 });
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
		const llama = await startLlama();
		expect(ids(await checkDify(llama.url, { apiKey: APP }))).toEqual(['modelServerDetected']);
		const sim = await dify();
		const result = await check(sim.origin);
		expect(result).toMatchObject({ status: 'misconfigured', server: { type: 'dify' } });
		expect(finding(result, 'difyDetected').suggestion).toContain(`Base URL is ${sim.url}`);
	});
});

describe('the worker of Dify', () => {
	const waitingSince = async (minutes: number) => {
		const sim = await dify();
		const base = addDataset(sim.store, { name: 'Animals', technique: 'high_quality' });
		addDocument(sim.store, base, { name: 'llama.txt', text: 'The llama lives in the Andes.' });
		const created = Math.round(Date.now() / 1000) - minutes * 60;
		const data = [{ id: '1', name: 'puma.txt', indexing_status: 'waiting', created_at: created }];
		const page = { data, has_more: false, limit: 20, total: 1, page: 1 };
		sim.fail(respond(`/datasets/${base.id}/documents`, page));
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
		const data = [{ id: '1', workflow_run: { status: 'failed', error } }];
		const page = { page: 1, limit: 1, total: 1, has_more: false, data };
		return await checkApp({ mode: 'workflow' }, respond('/workflows/logs', page));
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
