/** Any findings: the most severe first, of those the one with the worst status; the worst status is that of the server. */
import fc from 'fast-check';
import { concludeHealth, summarizeWithFindingCounts } from '../../../lib/health/check-result';
import type { FindingWithStatus, HealthStatus } from '../../../lib/health/check-result';

const SEVERITIES = ['error', 'warning', 'info'] as const;
const STATUSES: readonly HealthStatus[] = [
	'unreachable',
	'unauthorized',
	'loading',
	'misconfigured',
	'degraded',
	'healthy',
];

const findings = fc
	.array(
		fc.record({
			severity: fc.constantFrom(...SEVERITIES),
			status: fc.option(fc.constantFrom(...STATUSES), { nil: undefined }),
		}),
		{ maxLength: 6 },
	)
	.map((list) =>
		list.map((one, at): FindingWithStatus => ({
			...one,
			id: `${at}`,
			observed: 'o',
			detail: 'd',
			suggestion: 's',
		})),
	);

test('any findings', () => {
	fc.assert(
		fc.property(findings, fc.constantFrom(...STATUSES), (list, initial) => {
			const { status, healthy, findings: sorted } = concludeHealth(list, initial);
			const worst = STATUSES.find(
				(one) => one === initial || list.some((each) => each.status === one),
			);
			expect([status, healthy]).toEqual([worst, worst === 'healthy']);
			const expected = SEVERITIES.flatMap((severity) =>
				STATUSES.flatMap((each) =>
					list.filter((one) => one.severity === severity && (one.status ?? 'healthy') === each),
				),
			);
			expect(sorted.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
			const counts = (['error', 'warning'] as const).flatMap((severity) => {
				const count = list.filter((one) => one.severity === severity).length;
				return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
			});
			expect(summarizeWithFindingCounts('It is', { findings: sorted })).toBe(
				`It is${counts.length === 0 ? '' : `, with ${counts.join(' and ')}`}.`,
			);
		}),
		{ numRuns: 300 },
	);
});
