import { sleep } from 'n8n-workflow';
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';
import { waitUntilReady, type WaitOptions } from '../../../lib/health/check';
import { type LlamaServerSim, startLlamaServerSim } from '../../simulators/llama-server';
import { check, SESAME } from './support';
import { useSimulator } from '../../simulators/use-simulator';

const startServer = useSimulator(startLlamaServerSim);

const QUICK: WaitOptions = { timeoutMs: 60_000, pausesMs: [10, 20, 30] };
let server: LlamaServerSim | undefined;

/** Checks that give these results one after the other, the last one again and again. */
function played(...statuses: HealthStatus[]): () => Promise<CheckResult> {
	let at = 0;
	return async () => {
		const status = statuses[Math.min(at++, statuses.length - 1)]!;
		return {
			status,
			healthy: status === 'healthy',
			summary: `It is ${status}.`,
			findings: [],
			server: { url: 'http://x', type: 'llamaServer', latencyMs: 1 },
			checkedAt: '',
		};
	};
}

describe('waiting until a server is ready', () => {
	it('starts no check that would end after the timeout, if it takes as long as the previous one', async () => {
		const unreachable = played('unreachable');
		const slow = async () => {
			await sleep(600);
			return await unreachable();
		};
		const result = await waitUntilReady(slow, { timeoutMs: 1_000, pausesMs: [10] });
		expect(result).toMatchObject({ wait: { checks: 1 }, healthy: false });
	});

	it('waits out loading and comes back with the healthy check', async () => {
		// A check asks three or four things: so many refusals last for two checks at least.
		server = await startServer({ apiKey: SESAME, loadingFor: 8 });
		const { url } = server;
		const result = await waitUntilReady(async () => await check(url), QUICK);
		expect(result).toMatchObject({
			status: 'healthy',
			server: { type: 'llamaServer' },
			wait: { history: [{ status: 'loading' }, { status: 'healthy' }] },
		});
		expect(result.wait.checks).toBeGreaterThan(2);
	});

	it('gives up at its timeout, and reports that the model still loads', async () => {
		const result = await waitUntilReady(played('loading'), { ...QUICK, timeoutMs: 100 });
		expect(result).toMatchObject({
			status: 'loading',
			healthy: false,
			summary: 'Not ready within 100 ms (Wait Timeout). It is loading.',
			wait: { history: [{ status: 'loading' }] },
		});
	});

	it.each(['unauthorized', 'misconfigured'] as const)(
		'does not wait if waiting does not help: %s',
		async (status) => {
			const result = await waitUntilReady(played(status), QUICK);
			expect(result).toMatchObject({ status, wait: { checks: 1 } });
		},
	);

	it('waits longer and longer between checks', async () => {
		jest.useFakeTimers();
		const startedAt = Date.now();
		const times: number[] = [];
		const play = played('loading', 'loading', 'loading', 'loading', 'healthy');
		const waiting = waitUntilReady(
			async () => {
				times.push(Date.now() - startedAt);
				return await play();
			},
			{ timeoutMs: 60_000, pausesMs: [20, 60, 100] },
		);
		await jest.advanceTimersByTimeAsync(1000);
		await waiting;
		jest.useRealTimers();
		expect(times).toEqual([0, 20, 80, 180, 280]);
	});

	it('is aborted immediately', async () => {
		const abort = new AbortController();
		const waiting = waitUntilReady(played('loading'), {
			timeoutMs: 7_200_000,
			signal: abort.signal,
			pausesMs: [3_600_000],
		});
		abort.abort(new Error('stopped'));
		await expect(waiting).rejects.toThrow('stopped');
	});
});
