import { largestOf, smallestOf } from '../../values';
import type { SpeedRun } from './measure';

/** This share of the most tokens per second is as good as all of them. */
const NEARLY_ALL = 0.9;

/**
 * The fewest requests at once that bring nearly as many tokens per second as any number that was measured: each of them
 * is faster than with more. Undefined if only one number was measured.
 */
export function bestAtOnce(runs: readonly SpeedRun[]): number | undefined {
	const totals = runs.flatMap(({ atOnce, totalTokensPerSecond: total, failures }) =>
		total === null || failures.length > 0 ? [] : [{ atOnce, total }],
	);
	if (new Set(totals.map(({ atOnce }) => atOnce)).size < 2) return undefined;
	const most = largestOf(totals.map(({ total }) => total));
	const enough = totals.filter(({ total }) => total >= NEARLY_ALL * most);
	return smallestOf(enough.map(({ atOnce }) => atOnce));
}
