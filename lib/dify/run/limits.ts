import { seconds } from '../../errors/remedies';

/** Time limits of a run in milliseconds; 0 = none. */
export interface RunLimits {
	/** From sending to the first byte of the answer. */
	firstByteMs: number;
	/** Between two received chunks. Dify's pings count, one every 10 s. */
	idleMs: number;
	/** Between two events. Pings do not count: a hung run pings for ever (docs/protocols/dify.md 3.8). */
	progressMs: number;
	/**
	 * From the ping that Dify sends at once to the first event. In between the run waits for a worker, and
	 * Dify is silent (docs/protocols/dify.md 12.2). Dify itself ends such a stream after 300 s.
	 */
	queueMs: number;
	/** From sending to the end. Dify itself ends a run after 20 minutes, unless it was told otherwise. */
	totalMs: number;
}

export const DEFAULT_RUN_LIMITS: RunLimits = {
	firstByteMs: 120_000,
	idleMs: 60_000,
	progressMs: 600_000,
	queueMs: 300_000,
	totalMs: 0,
};

/** Which limit ran out, in words. */
export function limitDetail(limit: keyof RunLimits, limits: RunLimits): string {
	const time = seconds(limits[limit]);
	const details: Record<keyof RunLimits, string> = {
		firstByteMs: `Dify sent nothing within ${time}`,
		idleMs: `nothing arrived for ${time}, not even a ping (Idle Limit)`,
		progressMs: `Dify sent nothing but pings for ${time}`,
		queueMs: `Dify took the message, but did not begin to work on it within ${time}`,
		totalMs: `the run took longer than ${time} (Total Limit)`,
	};
	return details[limit];
}
