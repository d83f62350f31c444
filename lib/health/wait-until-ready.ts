import { pauseFor } from '../http/waiting';
import { advise } from './findings/finding';
import type { CheckResult, HealthStatus } from './observations';

export interface WaitOptions {
	/**
	 * Milliseconds. No check begins that would end after it, if it takes as long as the one before; so the last one may
	 * end a little after it.
	 */
	limitMs: number;
	/** Also wait where waiting alone does not help: a refused key, a wrong path. Default: those end the wait at once. */
	waitOutErrors?: boolean;
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
 * A container that restarts a server over and over shows it loading, gone, loading, gone
 * (docs/protocols/llama-server.md 9.2).
 */
const RESTARTS = 2;

/**
 * Repeats a check until the server (or one of several) is healthy, the limit is over, or waiting does not help.
 *
 * @throws whatever `check` throws, and an error where the wait is cancelled
 */
export async function waitUntilReady(
	check: () => Promise<CheckResult>,
	options: WaitOptions,
): Promise<WaitResult> {
	const { limitMs, waitOutErrors = false, signal, pausesMs = PAUSES_MS } = options;
	const startedAt = performance.now();
	const elapsed = () => Math.round(performance.now() - startedAt);
	const history: WaitResult['history'] = [];
	for (let checks = 1; ; checks++) {
		const begunAt = elapsed();
		const result = await check();
		const tookMs = elapsed() - begunAt;
		if (history.at(-1)?.status !== result.status)
			history.push({ atMs: elapsed(), status: result.status, summary: result.summary });
		if (result.healthy) return { ...result, waitedMs: elapsed(), checks, history };
		const pause = pausesMs[Math.min(checks, pausesMs.length) - 1]!;
		const isHopeless = isHelpedByPeopleOnly(result) && !waitOutErrors;
		if (isHopeless || elapsed() + pause + tookMs > limitMs) {
			const explained = withExplanation(result, history, elapsed());
			return { ...explained, waitedMs: elapsed(), checks, history };
		}
		await pauseFor(pause, signal);
	}
}

function isHelpedByPeopleOnly({ status }: CheckResult): boolean {
	return status === 'unauthorized' || status === 'misconfigured';
}

/** Tells a server that is merely slow to load from one that never will be ready. */
function withExplanation(
	result: CheckResult,
	history: WaitResult['history'],
	waitedMs: number,
): CheckResult {
	const seconds = Math.round(waitedMs / 1000);
	const restarts = history.filter(
		({ status }, at) => status === 'unreachable' && history[at - 1]?.status === 'loading',
	).length;
	if (restarts >= RESTARTS) {
		const observed = `It was loading and then gone ${restarts} times within ${seconds} s`;
		const finding = advise('restartLoop', observed);
		return { ...result, summary: `${finding.meaning}.`, findings: [finding, ...result.findings] };
	}
	return result.status === 'loading'
		? { ...result, summary: `Still loading after ${seconds} s: ${result.summary}` }
		: result;
}
