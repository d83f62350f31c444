/** The steps that the rules are made of: each changes the state, and says what to do. */
import { noteGap } from '../../events';
import type { Action, Ending, Look, Observation, StreamState } from '../observation';

export function openStream(state: Observation, kind: StreamState['kind']): Action[] {
	const { now } = state;
	state.streamCount++;
	state.resumesAt = undefined;
	state.stream = {
		kind,
		openedAt: now,
		lastPieceAt: now,
		pieces: 0,
		lastEventAt: kind === 'send' ? now : state.progress.at,
		hasEvents: false,
		quietSince: now,
		looksInSilence: 0,
	};
	if (kind === 'attach') noteGap(state.run);
	return [{ do: kind, stream: state.streamCount }];
}

/** Looks at the record of the run. */
export function lookFor(state: Observation, why: Look['why']): Action[] {
	state.lookCount++;
	state.pendingLook = { number: state.lookCount, why };
	return [{ do: 'look', look: state.lookCount, runId: state.run.workflowRunId! }];
}

/** Waits before the next attempt, at most until the total limit. */
export function rest(state: Observation, pauseMs: number): Action[] {
	const { now, beganAt, plan } = state;
	const { totalMs } = plan.limits;
	const left = totalMs > 0 ? Math.max(0, beganAt + totalMs - now) : Infinity;
	state.resumesAt = now + Math.min(pauseMs, left);
	return [];
}

/** Tells Dify once to stop the run, if that is allowed and possible. */
export function stopOnce(state: Observation): Action[] {
	const { taskId } = state.run;
	if (state.stop !== undefined || taskId === undefined || !state.plan.stops) return [];
	state.stop = { at: state.now };
	return [{ do: 'stop', taskId }];
}

/**
 * Ends the observation; at once, unless Dify has not yet answered to the stop, about which the result has to say whether
 * it was accepted. That request has a short time limit of its own.
 */
export function end(state: Observation, ending: Ending): Action[] {
	state.ending = ending;
	const isStopping = state.stop !== undefined && state.stop.isAccepted === undefined;
	return isStopping ? [] : [{ do: 'end', ending }];
}

/** Ends the observation of a run that goes on, without a stream. */
export function giveUp(state: Observation, ending: Ending): Action[] {
	state.run.abandoned = true;
	return [...stopOnce(state), ...end(state, ending)];
}
