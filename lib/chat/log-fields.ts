/** What the execution log shows of the way to a response. */
import { describeResending } from '../exchange/resending';
import type { AppliedRule } from '../exchange/types';
import type { QueueStats } from '../http/queue';
import type { Waits } from '../http/retry-policy';
import type { JsonRecord } from '../values/records';

/** How a response was obtained. */
export interface TurnHistory {
	/** How all attempts passed the queue. */
	queueStats: QueueStats;
	/** Why requests were sent again. */
	appliedRules: readonly AppliedRule[];
	/** How often requests were sent again after a pause. */
	waits: Readonly<Waits>;
	/** Whether the last response began inside its thinking, so that this one was held back until its thinking ended. */
	lastStartedInReasoning: boolean;
}

/** Execution log fields for the queue, and for responses that were held back or requested again. */
export function toLogFields({
	queueStats,
	appliedRules,
	waits,
	lastStartedInReasoning,
}: TurnHistory): JsonRecord {
	const { waitedMs, hasPreemptedBatch, timesPreempted } = queueStats;
	const hasWaited = waitedMs >= 1 || hasPreemptedBatch || timesPreempted > 0;
	return {
		queueWaitMs: hasWaited ? Math.round(waitedMs) : undefined,
		preemptedBatch: hasPreemptedBatch || undefined,
		timesPreempted: timesPreempted || undefined,
		corrections: countCorrections(appliedRules),
		delayedBecause: lastStartedInReasoning
			? 'the last response began inside its thinking'
			: undefined,
		resentBecause: describeResending([{ waits, appliedRules }]),
	};
}

/** How often the model corrected its response; undefined if it never had to. */
export function countCorrections(appliedRules: readonly AppliedRule[]): number | undefined {
	return appliedRules.filter(({ rule }) => rule === 'correction').length || undefined;
}
