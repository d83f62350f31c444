import { sleepWithAbort } from '../http/sleep';
import type { CheckResult, HealthStatus } from './check-result';

export interface WaitOptions {
	/** A check starts only if it would end in time, if it takes as long as the previous one; the last may end a little later. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Pauses between checks; the last one repeats. */
	pausesMs?: readonly number[];
}

interface WaitResult extends CheckResult {
	wait: {
		waitedMs: number;
		checks: number;
		/** The first status, and each change of it. */
		history: Array<{ atMs: number; status: HealthStatus }>;
	};
}

const PAUSES_MS = [500, 1_000, 2_000, 3_000, 5_000];

/**
 * Repeats a check until the server is healthy, the time is over, or waiting does not help.
 *
 * @throws the errors of `check`, and an error if the wait is aborted
 */
export async function waitUntilReady(
	check: () => Promise<CheckResult>,
	{ timeoutMs, signal, pausesMs = PAUSES_MS }: WaitOptions,
): Promise<WaitResult> {
	const startedAt = performance.now();
	const elapsed = () => Math.round(performance.now() - startedAt);
	const history: WaitResult['wait']['history'] = [];
	for (let checks = 1; ; checks++) {
		const checkStartMs = elapsed();
		const result = await check();
		const tookMs = elapsed() - checkStartMs;
		if (history.at(-1)?.status !== result.status)
			history.push({ atMs: elapsed(), status: result.status });
		const pause = pausesMs[Math.min(checks, pausesMs.length) - 1]!;
		const isHopeless = needsManualFix(result);
		const isOver = elapsed() + pause + tookMs > timeoutMs;
		if (result.healthy || isHopeless || isOver)
			return { ...result, wait: { waitedMs: elapsed(), checks, history } };
		await sleepWithAbort(pause, signal);
	}
}

function needsManualFix({ status }: CheckResult): boolean {
	return status === 'unauthorized' || status === 'misconfigured';
}
