import { recordOf } from '../../../values';
import { resultByEvents, isChatflow, reopen } from '../../events';
import type { RunResult } from '../../types';
import type { Action, Closing, Ending, Observation, StreamState } from '../observation';
import { forbidsAttaching, mayGoOn } from './failures';
import { afterLook, isEnd } from './looks';
import { noteProgress } from './progress';
import { end, lookFor, openStream, rest } from './steps';

/** What is known when a stream has ended. */
interface Ended {
	stream: StreamState;
	closing: Closing;
	/** By the events alone. */
	result: RunResult;
	verdict: Verdict;
}

type Verdict =
	/** The events tell how the run stands. */
	| 'known'
	/** Dify or a proxy refused the request. */
	| 'refused'
	/** The run may go on without its stream. */
	| 'lost';

interface EndRule {
	name: string;
	/** Missing: any. */
	verdict?: Verdict;
	/** Missing: always. */
	when?: (state: Observation, ended: Ended) => boolean;
	then: (state: Observation, ended: Ended) => Action[];
}

/** What the end of a stream means: the first rule that applies. */
export const END_RULES: readonly EndRule[] = [
	{
		name: 'a run that was given up ends, whatever its stream said',
		when: ({ abandoned }) => abandoned !== undefined,
		then: (state, { stream }) => end(state, abandonedEnding(state, stream)),
	},
	{
		name: 'the record wins over a stream that does not tell the end',
		when: (_state, { stream }) => isEnd(stream.endRecord?.record),
		then: (state, { stream }) => end(state, { how: 'recorded', record: stream.endRecord!.record }),
	},
	{
		name: 'a refusal is the end',
		verdict: 'refused',
		then: (state, { closing }) => end(state, endingOf(closing)),
	},
	{
		name: 'outputs of a run that was stopped after a form stand in its record only',
		verdict: 'known',
		when: (_state, { stream, result }) => stream.kind === 'attach' && lacksOutputs(result),
		then: (state) => awaitStoppedRecord(state),
	},
	{
		name: 'a pause of a chatflow is attached to once more: its snapshot has the whole text',
		verdict: 'known',
		when: ({ run, isPauseConfirmed }, { result }) =>
			result.status === 'paused' && run.mayHaveGap && isChatflow(run) && !isPauseConfirmed,
		then: (state) => {
			state.isPauseConfirmed = true;
			reopen(state.run);
			return openStream(state, 'attach');
		},
	},
	{
		name: 'the events tell the end',
		verdict: 'known',
		then: (state, { closing }) => end(state, endingOf(closing)),
	},
	{
		name: 'a lost run that cannot be recovered is a failure',
		verdict: 'lost',
		when: ({ plan }) => plan.recovery === 'none',
		then: (state, { closing }) => end(state, endingOf(closing)),
	},
	{
		name: 'a run that was lost without an ID is a failure',
		verdict: 'lost',
		when: ({ run }) => run.workflowRunId === undefined,
		then: (state, { closing }) => end(state, endingOf(closing)),
	},
	{
		name: 'a new run whose stream was lost is attached to at once',
		verdict: 'lost',
		when: (_state, { stream }) => stream.kind === 'send',
		then: (state, ended) => {
			noteLoss(state, ended);
			return openStream(state, 'attach');
		},
	},
	{
		name: 'after a lost attachment the record is looked at',
		verdict: 'lost',
		then: (state, { closing, stream }) => {
			noteLostAttachment(state, closing, stream);
			if (stream.endRecord === undefined) return lookFor(state, 'lost');
			return afterLook(state, stream.endRecord.record);
		},
	},
];

/** The stream has ended, or is to be closed. */
export function endOfStream(state: Observation, stream: StreamState, closing: Closing): Action[] {
	const isOverdue = stream.closesAt !== undefined && stream.closesAt <= state.now;
	const cause: Closing = isOverdue ? { ...closing, reason: 'closed', detail: undefined } : closing;
	state.stream = undefined;
	state.pendingLook = undefined;
	noteProgress(state);
	const result = resultByEvents(state.run, cause.reason, cause.detail);
	const verdict = verdictOf(state, stream, cause, result);
	const ended: Ended = { stream, closing: cause, result, verdict };
	const rule = END_RULES.find((each) => applies(each, state, ended))!;
	return [{ do: 'close' }, ...rule.then(state, ended)];
}

/** Closes the open stream, and goes on at once. What it still reports has an old number and is ignored. */
export function hangUp(state: Observation): Action[] {
	return endOfStream(state, state.stream!, { reason: 'closed' });
}

function applies({ verdict, when }: EndRule, state: Observation, ended: Ended): boolean {
	if (verdict !== undefined && verdict !== ended.verdict) return false;
	return when === undefined || when(state, ended);
}

function verdictOf(
	state: Observation,
	stream: StreamState,
	{ failed }: Closing,
	{ error }: RunResult,
): Verdict {
	if (failed !== undefined) return mayGoOn(state, stream, failed.kind) ? 'lost' : 'refused';
	const isCut =
		error?.cause === 'endedEarly' || error?.cause === 'queued' || error?.cause === 'notFinished';
	return isCut ? 'lost' : 'known';
}

function abandonedEnding({ abandoned }: Observation, stream: StreamState): Ending {
	const { reason, detail } = abandoned!;
	if (stream.kind === 'send' && stream.answeredAt === undefined)
		return { how: 'unanswered', why: { reason, detail } };
	return { how: 'finished', reason, detail };
}

function endingOf({ failed, reason, detail }: Closing): Ending {
	return failed === undefined ? { how: 'finished', reason, detail } : { how: 'failed', failed };
}

function noteLoss(state: Observation, { closing, result }: Ended): void {
	state.lost = { closing, result, head: state.head };
	state.progress.at = state.now;
	state.isConfirmed = true;
}

function noteLostAttachment(state: Observation, { failed }: Closing, stream: StreamState): void {
	state.attachFailure = failed;
	if (failed !== undefined && forbidsAttaching(failed.kind, stream)) state.isAttachable = false;
	else state.isConfirmed = true;
}

function lacksOutputs({ status, workflow }: RunResult): boolean {
	return status === 'stopped' && Object.keys(recordOf(workflow?.outputs)).length === 0;
}

/** Waits for the record of a stopped run, which has its outputs. */
export function awaitStoppedRecord(state: Observation): Action[] {
	const pause = state.plan.waits.stoppedLooksMs[state.stoppedLooks];
	if (pause === undefined) return end(state, { how: 'finished', reason: 'closed' });
	state.stoppedLooks++;
	return rest(state, pause);
}
