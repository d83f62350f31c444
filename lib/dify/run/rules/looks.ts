import type { Action, Observation } from '../observation';
import { MAX_WAIT_MS, type RunRecord } from '../record';
import { end, giveUp, rest } from './steps';

interface LookRule {
	name: string;
	when: (state: Observation, record: RunRecord | undefined) => boolean;
	then: (state: Observation, record: RunRecord | undefined) => Action[];
}

/**
 * What a look at the record of a run without a stream means: the first rule that applies. Without a record the run goes
 * on, or the look failed.
 */
export const LOOK_RULES: readonly LookRule[] = [
	{
		name: 'the record tells the end',
		when: ({ pausedRecords, isAttachable }, record) =>
			record !== undefined && (isEnd(record) || pausedRecords > 0 || !isAttachable),
		then: (state, record) => end(state, { how: 'recorded', record: record! }),
	},
	{
		name: 'a run that can neither be attached to nor looked at is a failure',
		when: ({ isAttachable, isLookRefused }) => isLookRefused && !isAttachable,
		then: (state) => end(state, { how: 'failed', failed: state.attachFailure! }),
	},
	{
		name: 'a run that Dify does not know is waited for only a moment',
		when: ({ unknownSince, plan, now }) =>
			unknownSince !== undefined && now - unknownSince >= plan.waits.unknownMs,
		then: (state) => end(state, { how: 'unknownRun' }),
	},
	{
		name: 'a run that neither a stream nor a record shows is waited for only until an API has restarted',
		when: ({ isAttachable, wasSeenRunning, progress, plan, now }) =>
			!isAttachable && !wasSeenRunning && now - progress.at >= plan.waits.unseenMs,
		then: (state) => end(state, { how: 'failed', failed: state.attachFailure! }),
	},
	{
		name: 'a run that does not get on is given up',
		when: (state) => quietLimit(state) > 0 && state.now - state.progress.at >= quietLimit(state),
		then: (state) => giveUp(state, { how: 'stillRunning', limitMs: quietLimit(state) }),
	},
	{
		name: 'a run over its total limit is given up',
		when: ({ plan, beganAt, now }) =>
			plan.limits.totalMs > 0 && now - beganAt >= plan.limits.totalMs,
		then: (state) => giveUp(state, { how: 'stillRunning', limitMs: state.plan.limits.totalMs }),
	},
	{
		name: 'a run that goes on is attached to again, each time a little later',
		when: () => true,
		then: (state, record) => {
			if (record !== undefined) state.pausedRecords++;
			const { pauseMs, maxPauseMs } = state.plan.waits;
			const pause = Math.min(pauseMs * 2 ** state.failedAttachments, maxPauseMs);
			state.failedAttachments++;
			return rest(state, pause);
		},
	},
];

export function afterLook(state: Observation, record: RunRecord | undefined): Action[] {
	return LOOK_RULES.find(({ when }) => when(state, record))!.then(state, record);
}

/** Whether the record tells the end of the run. Records hold no forms: a paused run is attached to. */
export function isEnd(record: RunRecord | undefined): boolean {
	return record !== undefined && record.status !== 'paused';
}

/** A record may say `running` for ever, so it is not waited for without any limit. */
function quietLimit({ isAttachable, plan }: Observation): number {
	return isAttachable ? plan.limits.progressMs : MAX_WAIT_MS;
}
