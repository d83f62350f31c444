import { isUnfinished } from '../../events';
import type { Abandoned, Action, Observation } from '../observation';
import { hangUp } from './ends';
import { end, giveUp, stopOnce } from './steps';

/**
 * Gives the run up: Stop, a time limit, a chat that cannot be written to. The stream stays open: Dify is told to stop
 * the run, and it is read until Dify ends it.
 */
export function abandon(state: Observation, why: Abandoned): Action[] {
	const { stream, run, plan } = state;
	if (state.abandoned !== undefined || state.ending !== undefined) return [];
	if (stream === undefined) return giveUp(state, { how: 'finished', ...why });
	// The outcome is known; only the end of the stream is missing.
	if (!isUnfinished(run)) return hangUp(state);
	state.abandoned = { ...why, at: state.now };
	run.abandoned = true;
	if (!plan.stops) return hangUp(state);
	if (run.taskId !== undefined) return stopOnce(state);
	// After a time limit without any event there is no further wait.
	return why.reason === 'cancelled' ? [] : hangUp(state);
}

/** Dify answered to the stop. */
export function stopAnswered(state: Observation, isAccepted: boolean): Action[] {
	if (state.stop !== undefined) state.stop.isAccepted = isAccepted;
	if (state.ending !== undefined) return end(state, state.ending);
	// Without the stop, the run would not end soon.
	return isAccepted || state.stream === undefined ? [] : hangUp(state);
}
