/**
 * Any statuses, one check after the other: how many checks there are, and the first status with each change of it. Stop in
 * any pause.
 */
import { setImmediate } from 'node:timers';
import fc from 'fast-check';
import { sleepWithAbort } from '../../../lib/http/sleep';
import type { ServerError } from '../../../lib/errors/server-error';
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';
import { waitUntilReady } from '../../../lib/health/wait-until-ready';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

/** With these the wait goes on. */
const OPEN: readonly HealthStatus[] = ['unreachable', 'loading', 'misconfigured', 'degraded'];

test('any statuses', async () => {
	const cases = fc.record({
		open: fc.array(fc.constantFrom(...OPEN), { maxLength: 5 }),
		last: fc.constantFrom<HealthStatus>('healthy', 'unauthorized'),
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ open, last }) => {
			const statuses = [...open, last];
			let checks = 0;
			const check = async () => {
				const status = statuses[checks++]!;
				return { status, healthy: status === 'healthy', summary: status } as CheckResult;
			};
			const result = await waitUntilReady(check, { timeoutMs: 600_000 });
			const changes = statuses.filter((status, at) => status !== statuses[at - 1]);
			expect(result).toMatchObject({ status: last, summary: last });
			expect(result.wait.checks).toBe(statuses.length);
			expect(result.wait.history.map(({ status }) => status)).toEqual(changes);
			const times = result.wait.history.map(({ atMs }) => atMs);
			expect(times).toEqual(times.toSorted((one, other) => one - other));
		}),
	);
});

/** A wait for a server that never gets ready. Its checks take so long, one after the other. */
async function waitInVain(checksMs: readonly number[], timeoutMs: number, stopAfter?: number) {
	const controller = new AbortController();
	const startedAt = performance.now();
	/** When each check ended. */
	const endsMs: number[] = [];
	const check = async () => {
		await sleepWithAbort(checksMs[endsMs.length % checksMs.length]!, undefined);
		endsMs.push(Math.round(performance.now() - startedAt));
		// Stop comes once the pause has begun.
		if (endsMs.length === stopAfter) setImmediate(() => controller.abort());
		return { status: 'loading', healthy: false, summary: 'loading' } as CheckResult;
	};
	const outcome = await waitUntilReady(check, { timeoutMs, signal: controller.signal }).then(
		({ wait }) => `ended after ${wait.waitedMs} ms`,
		(error: ServerError) => error.type,
	);
	return { outcome, endsMs };
}

test('Stop in any pause ends the wait with an error, also in the last one, and no check follows', async () => {
	let lastPauses = 0;
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 5 }),
			fc.integer({ min: 1_000, max: 30_000 }),
			async (checksMs, timeoutMs) => {
				const { endsMs } = await waitInVain(checksMs, timeoutMs);
				for (const [at, endMs] of endsMs.entries()) {
					const stopped = await waitInVain(checksMs, timeoutMs, at + 1);
					// A check that ends after the timeout has no pause after it.
					const expected = endMs < timeoutMs ? 'aborted' : `ended after ${endMs} ms`;
					if (endMs < timeoutMs && at === endsMs.length - 1) lastPauses++;
					expect({ pause: at + 1, ...stopped }).toEqual({
						pause: at + 1,
						outcome: expected,
						endsMs: endsMs.slice(0, at + 1),
					});
				}
			},
		),
	);
	expect(lastPauses).toBeGreaterThan(10);
});
