/** The steps that the rules are made of: each changes the state, and says what to do. */
import { beginAttachment } from '../../events';
import type { Action, Ending, Look, Observation, StreamState } from '../observation';

export function openStream(state: Observation, kind: StreamState['kind'], now: number): Action[] {
	state.streams++;
	state.resumesAt = undefined;
	state.stream = {
		kind,
		openedAt: now,
		lastPieceAt: now,
		pieces: 0,
		lastEventAt: kind === 'send' ? now : state.progress.at,
		hasEvents: false,
		quietSince: now,
		looks: 0,
	};
	if (kind === 'attach') beginAttachment(state.run);
	return [{ do: kind, stream: state.streams }];
}

/** Looks at the record of the run. */
export function lookFor(state: Observation, why: Look['why']): Action[] {
	state.looks++;
	state.look = { number: state.looks, why };
	return [{ do: 'look', look: state.looks, runId: state.run.workflowRunId! }];
}

/** Waits before the next attempt, at most until the total limit. */
export function rest(state: Observation, pauseMs: number, now: number): Action[] {
	const { totalMs } = state.plan.limits;
	const left = totalMs > 0 ? Math.max(0, state.beganAt + totalMs - now) : Infinity;
	state.resumesAt = now + Math.min(pauseMs, left);
	return [];
}

/** Tells Dify once to stop the run, if that is allowed and possible. */
export function stopOnce(state: Observation, now: number): Action[] {
	const { taskId } = state.run;
	if (state.stop !== undefined || taskId === undefined || !state.plan.stops) return [];
	state.stop = { at: now };
	return [{ do: 'stop', taskId }];
}

/** The result says whether the stop was accepted, so its answer is waited for. */
export function end(state: Observation, ending: Ending): Action[] {
	state.ending = ending;
	const isStopping = state.stop !== undefined && state.stop.isAccepted === undefined;
	return isStopping ? [] : [{ do: 'end', ending }];
}

/** Ends the observation of a run that goes on, without a stream. */
export function giveUp(state: Observation, ending: Ending, now: number): Action[] {
	state.run.abandoned = true;
	return [...stopOnce(state, now), ...end(state, ending)];
}

/** Whether an answered form should have let the run go on by now. */
export function isResumeOverdue({ beganAt, plan }: Observation, now: number): boolean {
	return now - beganAt > plan.waits.resumeMs;
}
