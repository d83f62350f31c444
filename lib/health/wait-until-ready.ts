/** Checks a server until it is ready. */
import { composeText } from '../values/safe-text';
import { formatDuration } from '../values/duration';
import type { CheckResult, HealthStatus } from './check-result';
import { sleepWithAbort } from '../http/sleep';

/** How long to wait. */
export interface WaitOptions {
	/** Milliseconds. A check starts only if it would end in time, if it takes as long as the previous one. The wait ends with this time. */
	timeoutMs: number;
	signal?: AbortSignal;
	/** Pauses between checks; the last one repeats. */
	pausesMs?: readonly number[];
}

const PAUSES_MS = [500, 1_000, 2_000, 3_000, 5_000];

/** A status that a wait saw. */
interface StatusChange {
	/** From the start of the wait. */
	atMs: number;
	status: HealthStatus;
}

/** What happened during a wait. */
interface WaitRecord {
	waitedMs: number;
	/** Number of checks. */
	checks: number;
	/** The first status, and each change of it. */
	history: StatusChange[];
}

/** The last check, with the wait before it. */
export interface WaitResult extends CheckResult {
	wait: WaitRecord;
}

/**
 * Repeats a check until the server is healthy, rejects the key, or the time is over, whatever it reports meanwhile.
 *
 * @throws the errors of `check`, and an error if the wait is aborted
 */
export async function waitUntilReady(
	check: () => Promise<CheckResult>,
	{ timeoutMs, signal, pausesMs = PAUSES_MS }: WaitOptions,
): Promise<WaitResult> {
	const startedAt = performance.now();
	const elapsed = () => Math.round(performance.now() - startedAt);
	const history: StatusChange[] = [];
	for (let checks = 1; ; checks++) {
		const checkStartMs = elapsed();
		const result = await check();
		const tookMs = elapsed() - checkStartMs;
		if (history.at(-1)?.status !== result.status) {
			history.push({ atMs: elapsed(), status: result.status });
		}
		const pause = pausesMs[Math.min(checks, pausesMs.length) - 1]!;
		const isDone = result.healthy || result.status === 'unauthorized';
		const remainingMs = timeoutMs - elapsed();
		const pauseMs = Math.min(pause, remainingMs - tookMs);
		const isOver = pauseMs <= 0;
		if (isDone || isOver) {
			if (!isDone && remainingMs > 0) await sleepWithAbort(remainingMs, signal);
			const prefix = isDone ? '' : `Not ready within ${formatDuration(timeoutMs)} (Wait Timeout). `;
			const wait = { waitedMs: elapsed(), checks, history };
			return { ...result, summary: composeText(prefix + result.summary), wait };
		}
		await sleepWithAbort(pauseMs, signal);
	}
}
