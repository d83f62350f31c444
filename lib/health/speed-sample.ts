/** The speed of one response. Pure. */
import type { Completion } from '../chat/completion';
import { getReportedSpeed } from '../chat/read/usage';
import { omitUndefined } from '../values/records';
import { round } from '../values/numbers';

/** One request. Times count from sending, without the wait in n8n's queue. */
export interface Sample {
	/** To the first generated token, thinking included. Missing if the response was buffered. */
	firstTokenMs?: number;
	promptTokensPerSecond?: number;
	generatedTokens: number;
	/** By the server's timings, otherwise from the first delta to the last. A minimum if the response was buffered. */
	tokensPerSecond: number;
}

/** Times of a response, from the start of its request. */
export interface Times {
	/** Of the first delta. */
	firstMs: number;
	/** Of the last delta. */
	lastMs: number;
	/** Of the end. */
	totalMs: number;
}

/** If the deltas arrive within a smaller share of the total time, the response was buffered. */
const MIN_SPREAD = 0.05;
/** A faster response looks buffered even if it is not. */
const MIN_MEASURABLE_MS = 50;

/**
 * What a response says about the speed: by the server's timings if it sends them, otherwise by the clock.
 *
 * @param deltas - Pieces in which the content arrived
 */
export function toSample(
	{ usage, timings }: Pick<Completion, 'usage' | 'timings'>,
	deltas: number,
	times: Times,
): Sample {
	const { firstMs, lastMs, totalMs } = times;
	const generatedTokens = usage?.completionTokens || deltas;
	const hasNoTimes = isBuffered(deltas, times);
	const measuredSpeed = hasNoTimes
		? (generatedTokens * 1000) / totalMs
		: ((generatedTokens - 1) * 1000) / Math.max(1, lastMs - firstMs);
	const promptSpeed =
		hasNoTimes || !usage ? undefined : round((usage.promptTokens * 1000) / firstMs);
	return {
		...omitUndefined({
			firstTokenMs: hasNoTimes ? undefined : Math.round(firstMs),
			promptTokensPerSecond: timings?.prompt_per_second || promptSpeed,
		}),
		generatedTokens,
		tokensPerSecond: round(getReportedSpeed(timings) || measuredSpeed),
	};
}

function isBuffered(deltas: number, { firstMs, lastMs, totalMs }: Times) {
	const isShort = totalMs >= MIN_MEASURABLE_MS && lastMs - firstMs < totalMs * MIN_SPREAD;
	return deltas < 2 || isShort;
}
