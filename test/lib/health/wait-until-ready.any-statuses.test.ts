/** Any statuses, one check after the other: how many checks there are, and the first status with each change of it. */
import fc from 'fast-check';
import type { CheckResult, HealthStatus } from '../../../lib/health/check-result';
import { waitUntilReady } from '../../../lib/health/wait-until-ready';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
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
