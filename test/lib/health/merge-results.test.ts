import { checkServer } from '../../../lib/health/check';
import type { CheckResult, HealthStatus } from '../../../lib/health/observations';
import { mergeResults } from '../../../lib/health/merge-results';
import { testSpeed } from '../../../lib/health/speed/speed-test';
import { waitUntilReady } from '../../../lib/health/wait-until-ready';
import { modelServerTarget } from '../../../nodes/shared/health/target';
import { type LlamaServerSim, startLlamaServerSim } from '../../servers/llama-server';
import { credentialOf, generationsAt } from '../../servers/several';
import { useSimulator } from '../../servers/use-simulator';
import { LIMITS } from './support';

const start = useSimulator(startLlamaServerSim);

const checked = async (servers: readonly LlamaServerSim[], further: readonly object[] = []) =>
	await checkServer(modelServerTarget(credentialOf(servers, {}, further)), LIMITS);

const resultOf = (status: HealthStatus): CheckResult => ({
	status,
	healthy: status === 'healthy',
	summary: `It is ${status}.`,
	url: `http://${status}`,
	findings: [],
	server: { kind: 'llamaServer', version: null },
	latencyMs: 1,
	checkedAt: '',
	checkMs: 1,
});

describe('the verdict on several servers', () => {
	test.each<[HealthStatus[], HealthStatus]>([
		[['healthy', 'healthy'], 'healthy'],
		[['healthy', 'unreachable'], 'degraded'],
		[['unreachable', 'healthy', 'loading'], 'degraded'],
		[['unreachable', 'loading'], 'loading'],
		[['misconfigured', 'unauthorized'], 'unauthorized'],
		[['unreachable', 'unreachable'], 'unreachable'],
		[['degraded', 'unreachable'], 'degraded'],
	])('%j: %s', (statuses, status) => {
		const verdict = mergeResults(statuses.map(resultOf));
		expect(verdict).toMatchObject({ status, healthy: status === 'healthy' });
		expect(verdict.servers).toHaveLength(statuses.length);
		for (const bad of statuses.filter((one) => one !== 'healthy'))
			expect(verdict.summary).toContain(`http://${bad}: It is ${bad}.`);
	});

	test('one server is what it is', () => {
		const alone = resultOf('loading');
		expect(mergeResults([alone])).toBe(alone);
	});
});

describe('a check of several servers', () => {
	test('has the result of each, and findings that name their server', async () => {
		const servers = [
			await start({ slots: 2 }),
			await start({ slots: 3, alias: 'other-model' }),
			await start(),
		] as const;
		await servers[2].close();
		const result = await checked(servers);
		expect(result).toMatchObject({
			status: 'degraded',
			healthy: false,
			url: servers[0].url,
			slots: { total: 5, busy: null },
		});
		expect(result.summary).toMatch(/^2 of 3 servers are healthy\. http/);
		expect(result.summary).toContain(servers[2].url);
		expect(result.servers!.map(({ status }) => status)).toEqual([
			'healthy',
			'healthy',
			'unreachable',
		]);
		expect(result.findings[0]).toMatchObject({ id: 'refused', url: servers[2].url });
		expect(result.models!.map(({ id }) => id)).toEqual(['sim-model', 'other-model']);
	});

	test('all of them healthy', async () => {
		const result = await checked([await start(), await start()]);
		expect(result).toMatchObject({
			status: 'healthy',
			healthy: true,
			summary: 'All 2 servers are healthy.',
		});
	});

	test('an address that cannot be used is a finding of that server', async () => {
		const server = await start();
		const credential = {
			baseUrl: server.url,
			furtherServers: { server: [{ baseUrl: 'http://gpu:port' }] },
		};
		const result = await checkServer(modelServerTarget(credential as never), LIMITS);
		expect(result.servers!.map(({ status }) => status)).toEqual(['healthy', 'misconfigured']);
		expect(result.findings[0]!.meaning).toContain('Further server 1: The port "port"');
	});

	test('a model that is needed is looked for under its name there', async () => {
		const servers = [await start(), await start({ alias: 'there:8b' })];
		const target = modelServerTarget(
			credentialOf(servers, {}, [{ model: 'sim-model = there:8b' }]),
		);
		expect(
			await checkServer(target, { ...LIMITS, expectations: { model: 'sim-model' } }),
		).toMatchObject({
			healthy: true,
		});
	});

	test.each(['router', 'llama-swap'] as const)(
		'case B97: no model of a %s is loaded by it',
		async (profile) => {
			const servers = [await start({ profile }), await start({ profile })];
			await checked(servers);
			for (const server of servers) {
				expect(
					server.models.every(({ status }) => status === undefined || status === 'unloaded'),
				).toBe(true);
				expect(
					server.requests.filter(
						({ path, target }) => path === '/props' && target.includes('model='),
					),
				).toHaveLength(0);
				expect(server.requests.filter(({ path }) => path.startsWith('/upstream'))).toHaveLength(0);
				expect(generationsAt(server)).toHaveLength(0);
			}
		},
	);
});

describe('waiting for several servers', () => {
	const waited = async (servers: readonly LlamaServerSim[]) => {
		const target = modelServerTarget(credentialOf(servers));
		const check = async () => await checkServer(target, LIMITS);
		return await waitUntilReady(check, { limitMs: 200, pausesMs: [10] });
	};

	test('ends as soon as one is ready, since the nodes work then', async () => {
		const servers = [await start(), await start()] as const;
		await servers[0].close();
		expect(await waited(servers)).toMatchObject({ healthy: true, status: 'degraded', checks: 1 });
	});

	test('ends unhealthy where none is', async () => {
		const servers = [await start({ loadingFor: { ms: 60_000 } }), await start()] as const;
		await servers[1].close();
		expect(await waited(servers)).toMatchObject({ healthy: false, status: 'loading' });
	});
});

test('the speed of each server is measured, one after another', async () => {
	const servers = [await start(), await start()];
	const result = await testSpeed(modelServerTarget(credentialOf(servers)), {
		model: '',
		tokens: 8,
		atOnce: 1,
		firstTokenMs: 10_000,
		totalMs: 10_000,
		check: LIMITS,
	});
	const speeds = result.servers as unknown as Array<{ speed: { model: string; runs: unknown[] } }>;
	expect(speeds.map(({ speed }) => [speed.model, speed.runs.length])).toEqual([
		['sim-model', 1],
		['sim-model', 1],
	]);
	expect(servers.map((server) => generationsAt(server).length)).toEqual([1, 1]);
});
