/** What the execution log shows of the way to a response. */
import type { AppliedRule } from '../exchange/types';
import type { QueueStats } from '../http/queue';
import type { JsonRecord } from '../values/records';

/** How a response was obtained. */
export interface TurnHistory {
	/** How all attempts passed the queue. */
	queueStats: QueueStats;
	/** Why requests were sent again. */
	applied: readonly AppliedRule[];
	/** Whether the response was held back until its thinking ended. */
	isDelayed: boolean;
}

/** Execution log fields for the queue, and for responses that were held back or requested again. */
export function toLogFields({ queueStats, applied, isDelayed }: TurnHistory): JsonRecord {
	const { waitedMs, hasPreemptedBatch, timesPreempted } = queueStats;
	const hasWaited = waitedMs >= 1 || hasPreemptedBatch || timesPreempted > 0;
	const corrections = applied.filter(({ rule }) => rule === 'correction').length;
	return {
		queueWaitMs: hasWaited ? Math.round(waitedMs) : undefined,
		preemptedBatch: hasPreemptedBatch || undefined,
		timesPreempted: timesPreempted || undefined,
		corrections: corrections || undefined,
		delayedBecause: isDelayed ? 'the last response began inside its thinking' : undefined,
		resentBecause: applied.length > 0 ? applied.map(({ because }) => because) : undefined,
	};
}
