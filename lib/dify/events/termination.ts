import type { StreamStep } from '../types';
import type { RunState } from './state';

/** Milliseconds to wait for late events after the end of a run (docs/protocols/dify.md 3.8). */
export const LATE_EVENTS_MS = 2000;

/**
 * One of the two events that end a chatflow came. The other one follows at once, or the run is recovered, after the
 * record of a silent run was looked up.
 */
export const AWAITS_SECOND_END = { next: 'continue', closeAfterMs: 20_000 } as const;

interface NextStep {
	next: StreamStep;
	closeAfterMs?: number;
}

/** The termination rules of docs/protocols/dify.md 3.8, from the state alone. They hold for every version of Dify. */
export function nextStep(state: RunState): NextStep {
	if (state.streamError !== undefined || state.pause !== undefined) return { next: 'close' };
	const end = state.workflowEnd;
	if (end !== undefined) {
		if (end.alone || state.messageEnded) return { next: 'close' };
		// After a failed or stopped chatflow there is no other event; a good run always has both.
		return succeeded(end.status)
			? AWAITS_SECOND_END
			: { next: 'awaitLateEvents', closeAfterMs: LATE_EVENTS_MS };
	}
	if (!state.messageEnded) return { next: 'continue' };
	// Newer chatflows send message_end first, also for failed runs: only workflow_finished tells.
	if (state.workflow !== undefined) return AWAITS_SECOND_END;
	// Also where moderation or an annotation answered in place of a chatflow: newer servers then leave the socket open.
	return { next: 'close' };
}

/** Whether the run goes on, by its events. */
export function isUnfinished(state: RunState): boolean {
	return nextStep(state).next === 'continue';
}

export function succeeded(status: string): status is 'succeeded' | 'partial-succeeded' {
	return status === 'succeeded' || status === 'partial-succeeded';
}
