import { closeChannels } from '../../../../lib/http/dispatcher';
import { appKey, type AppSpec, type DifySim, startDifySim } from '../../../servers/dify';
import { startLlamaServerSim } from '../../../servers/llama-server';
import { closedPort } from '../../../support/listening';
import { closeRawServers } from '../../../support/raw-answers';
import { check, checkDify, finding, ids } from '../support';

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
	await closeChannels();
	await closeRawServers();
	await Promise.all(running.splice(0).map(async (server) => await server.close()));
});

describe('other servers than Dify', () => {
	it('a Base URL with slashes at its end asks no //info, which Dify redirects (seen: 1.12.1)', async () => {
		const sim = await dify();
		const { status, findings } = await checkDify(`${sim.url}//`, { apiKey: APP });
		expect([status, findings.map(({ id }) => id)]).toEqual(['healthy', ['difyNotChecked']]);
		// `/v1/` is a page of a 404 there (seen: 1.12.1): no question that anything depends on.
		expect(new Set(sim.requests.map(({ path }) => path))).toEqual(
			new Set(['/info', '/parameters', '/datasets']),
		);
	});
});

describe('the address', () => {
	it('is understood with and without /v1, and with a pasted endpoint', async () => {
		const sim = await dify();
		for (const typed of [
			sim.origin,
			`${sim.origin}/`,
			` ${sim.url}/ `,
			`${sim.url}/chat-messages`,
		]) {
			expect(await checkDify(typed, { apiKey: APP })).toMatchObject({
				status: 'healthy',
				url: sim.url,
			});
		}
	});

	it('leads to the web front end: names the API, which it found', async () => {
		const sim = await dify();
		const result = await checkDify(`${sim.origin}/apps`, { apiKey: APP });
		expect(result.status).toBe('misconfigured');
		expect(finding(result, 'difyWebFrontend').advice).toMatch(
			new RegExp(`^Type ${sim.url} as Base URL: there the API of Dify answers\\.`),
		);
		expect(
			sim.requests
				.filter(({ path }) => path === '/info')
				.every(({ headers }) => headers.authorization === undefined),
		).toBe(true);
	});

	it('has a path too many on an installation without nginx', async () => {
		const sim = await dify({}, { front: 'none' });
		const result = await checkDify(`${sim.origin}/dify/v1`, { apiKey: APP });
		expect(finding(result, 'difyRouteNotFound').advice).toContain(`Type ${sim.url} as Base URL`);
	});

	it('a prefix of a foreign proxy is kept', async () => {
		const sim = await dify({}, { prefix: '/dify' });
		expect((await checkDify(sim.url, { apiKey: APP })).status).toBe('healthy');
	});

	it('leads to a closed port: advice is about Dify, not about llama-server', async () => {
		const port = await closedPort();
		const result = await checkDify(`http://127.0.0.1:${port}/v1`, { apiKey: APP });
		expect(result).toMatchObject({
			status: 'unreachable',
			url: `http://127.0.0.1:${port}/v1`,
			app: { name: null, mode: null },
		});
		expect(finding(result, 'refused').advice).toContain('docker compose ps');
		expect(JSON.stringify(result)).not.toContain('llama');
	});

	it('leads to a llama-server, or the other way round', async () => {
		const llama = await startLlamaServerSim();
		running.push(llama);
		expect(ids(await checkDify(llama.url, { apiKey: APP }))).toEqual(['thisIsAModelServer']);
		const sim = await dify();
		const result = await check(sim.origin);
		expect(result).toMatchObject({ status: 'misconfigured', server: { kind: 'dify' } });
		expect(finding(result, 'thisIsDify').advice).toContain(`Base URL is ${sim.url}`);
	});
});

it('the default apps of a simulator are all healthy', async () => {
	const sim = await startDifySim();
	running.push(sim);
	for (const mode of [
		'chat',
		'agent-chat',
		'agent',
		'advanced-chat',
		'completion',
		'workflow',
	] as const) {
		expect(await checkDify(sim.url, { apiKey: appKey(mode) })).toMatchObject({
			status: 'healthy',
			app: { mode },
		});
	}
});
