/** Merges the results of a credential's servers. Pure. */
import { sorted, withoutStatus } from './findings/finding';
import { sum } from './numbers';
import type { CheckResult, HealthStatus } from './observations';
import { largestOf } from '../values';

/** Where no server is healthy, the first of these that occurs counts. */
const NEAREST: readonly HealthStatus[] = [
	'degraded',
	'loading',
	'unauthorized',
	'misconfigured',
	'unreachable',
];

/**
 * The results of several servers as one: healthy where all of them are, degraded where some are. The address, the kind
 * and the latency are those of the first server; `servers` has everything.
 *
 * @param results at least one, in the order of the servers
 */
export function mergeResults<R extends CheckResult>(results: readonly R[]): R {
	const [first] = results as [R];
	if (results.length === 1) return first;
	const status = statusOf(results);
	const findings = results.flatMap((result) =>
		result.findings.map((finding) => ({
			...finding,
			url: result.url ?? undefined,
			status: result.status,
		})),
	);
	const models = results.flatMap((result) => result.models ?? []);
	return {
		...first,
		status,
		healthy: status === 'healthy',
		summary: summaryOf(results),
		findings: withoutStatus(sorted(findings)),
		...(models.length === 0
			? {}
			: { models: models.filter(({ id }, at) => at === places(models).get(id)) }),
		slots: {
			total: sum(results.map(({ slots }) => slots?.total)),
			busy: sum(results.map(({ slots }) => slots?.busy)),
		},
		queue: sum(results.map(({ queue }) => queue)),
		checkMs: largestOf(results.map(({ checkMs }) => checkMs)),
		servers: results,
	};
}

function statusOf(results: readonly CheckResult[]): HealthStatus {
	if (results.every(({ healthy }) => healthy)) return 'healthy';
	if (results.some(({ healthy }) => healthy)) return 'degraded';
	return (
		NEAREST.find((status) => results.some((result) => result.status === status)) ?? 'unreachable'
	);
}

function summaryOf(results: readonly CheckResult[]): string {
	const bad = results.filter(({ healthy }) => !healthy);
	if (bad.length === 0) return `All ${results.length} servers are healthy.`;
	const list = bad
		.map(({ url, summary }) => `${url ?? 'A server without a usable address'}: ${summary}`)
		.join(' ');
	return `${results.length - bad.length} of ${results.length} servers are healthy. ${list}`;
}

/** Index of the first entry of each model. */
function places(models: ReadonlyArray<{ id: string }>): Map<string, number> {
	return new Map(models.map(({ id }, at): [string, number] => [id, at]).reverse());
}
