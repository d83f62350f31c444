import { sleepWithAbort } from '../http/sleep';
import type { CheckResult, HealthStatus } from './result';

export interface WaitOptions {
	/**
	 * Milliseconds. No check begins that would end after it, if it takes as long as the one before; so the last one may
	 * end a little after it.
	 */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Pauses between checks, the last one again and again. */
	pausesMs?: readonly number[];
}

interface WaitResult extends CheckResult {
	waitedMs: number;
	checks: number;
	/** Each change of status, from the first check on. */
	history: Array<{ atMs: number; status: HealthStatus; summary: string }>;
}

const PAUSES_MS = [500, 1_000, 2_000, 3_000, 5_000];

/**
 * Repeats a check until the server is healthy, the limit is over, or waiting does not help.
 *
 * @throws whatever `check` throws, and an error where the wait is cancelled
 */
export async function waitUntilReady(
	check: () => Promise<CheckResult>,
	{ timeoutMs, signal, pausesMs = PAUSES_MS }: WaitOptions,
): Promise<WaitResult> {
	const startedAt = performance.now();
	const elapsed = () => Math.round(performance.now() - startedAt);
	const history: WaitResult['history'] = [];
	for (let checks = 1; ; checks++) {
		const begunAt = elapsed();
		const result = await check();
		const tookMs = elapsed() - begunAt;
		if (history.at(-1)?.status !== result.status)
			history.push({ atMs: elapsed(), status: result.status, summary: result.summary });
		const pause = pausesMs[Math.min(checks, pausesMs.length) - 1]!;
		const isHopeless = needsManualFix(result);
		const isOver = elapsed() + pause + tookMs > timeoutMs;
		if (result.healthy || isHopeless || isOver)
			return { ...result, waitedMs: elapsed(), checks, history };
		await sleepWithAbort(pause, signal);
	}
}

function needsManualFix({ status }: CheckResult): boolean {
	return status === 'unauthorized' || status === 'misconfigured';
}
