import type { StreamStep } from '../types';
import type { RunState } from './state';

/**
 * How long to wait, after a run is known to be over, for an event that one of the versions sends late
 * (docs/protocols/dify.md 3.8).
 */
export const GRACE_MS = 2000;

/** Dify keeps the stream open for about five seconds after the answer for speech that is still being made. */
export const AUDIO_GRACE_MS = 5000;

/**
 * One of the two events that end a chatflow came, and the other one follows at once: what comes no more is looked for
 * elsewhere, after the look at the record of a quiet run.
 */
export const AWAITS_SECOND_END = { next: 'continue', graceMs: 20_000 } as const;

interface NextStep {
	next: StreamStep;
	graceMs?: number;
	/** Success is certain and only speech is waited for. */
	settled?: boolean;
}

/**
 * The termination rules of docs/protocols/dify.md 3.8, from the state alone. They hold for every version, so none has
 * to be known.
 */
export function nextStep(state: RunState): NextStep {
	if (state.streamError !== undefined || state.pause !== undefined) return { next: 'close' };
	const end = state.workflowEnd;
	if (end !== undefined) {
		if (end.alone || state.messageEnded) return succeeded(end.status) ? afterSuccess(state) : { next: 'close' };
		// 1.12 sends message_end or error after a failed or stopped chatflow, 1.14 nothing; a good run always has both
		// events.
		return succeeded(end.status) ? AWAITS_SECOND_END : { next: 'grace', graceMs: GRACE_MS };
	}
	if (!state.messageEnded) return { next: 'continue' };
	// Newer chatflows send message_end first, and main does so for failed runs too: only workflow_finished tells.
	if (state.workflow !== undefined) return AWAITS_SECOND_END;
	// Also where moderation or an annotation answered in place of a chatflow; newer servers then leave the socket open.
	return afterSuccess(state);
}

/** Whether the run still goes on, as far as the events tell. */
export function isUnfinished(state: RunState): boolean {
	return nextStep(state).next === 'continue';
}

function afterSuccess(state: RunState): NextStep {
	if (state.hints.wantAudio !== true || state.audioEnded) return { next: 'close' };
	return { next: 'grace', graceMs: AUDIO_GRACE_MS, settled: true };
}

export function succeeded(status: string): status is 'succeeded' | 'partial-succeeded' {
	return status === 'succeeded' || status === 'partial-succeeded';
}
