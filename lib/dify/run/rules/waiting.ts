import { smallestOf } from '../../../values';
import { limitDetail, type RunLimits } from '../limits';
import type { Action, Observation, StreamState } from '../observation';
import { abandon } from './abandon';
import { hangUp } from './ends';
import { lookFor, openStream } from './steps';

/**
 * How long a stopped run is still read, so that Dify stores the answer: it ended 60 of 60 streams 0.1 to 1.2 s after
 * the stop (docs/protocols/dify.md 12.1, 12.2).
 */
export const AFTER_STOP_MS = 3_000;

/** How long Stop waits for the task ID of a new run, without which Dify cannot stop it. */
const TASK_ID_WAIT_MS = 1_000;

/** The last events of a run are sent a moment after its record is written. */
const LAST_EVENTS_MS = 1_000;

/** What is done at a time, unless something happens before. */
interface WaitingRule {
	name: string;
	at: (state: Observation) => number | undefined;
	then: (state: Observation) => Action[];
}

/** What happens while nothing happens: of the rules whose time has come, the earliest applies. */
export const WAITING_RULES: readonly WaitingRule[] = [
	{
		name: 'the first byte limit ends a request without an answer',
		at: limitAt('firstByteMs', (stream) =>
			stream.kind === 'send' && stream.answeredAt === undefined ? stream.openedAt : undefined,
		),
		then: limitReached('firstByteMs'),
	},
	{
		name: 'an attachment that is not answered is tried again',
		at: ({ stream, plan }) =>
			stream?.kind === 'attach' && stream.answeredAt === undefined
				? stream.openedAt + plan.waits.openMs
				: undefined,
		then: hangUp,
	},
	{
		name: 'the queue limit ends the wait for a worker',
		at: limitAt('queueMs', (stream) => (isQueued(stream) ? stream.answeredAt : undefined)),
		then: limitReached('queueMs'),
	},
	{
		name: 'the idle limit ends a stream without pings',
		at: limitAt('idleMs', (stream) => (isQueued(stream) ? undefined : stream.lastPieceAt)),
		then: limitReached('idleMs'),
	},
	{
		name: 'the progress limit ends a stream of pings',
		at: limitAt('progressMs', ({ lastEventAt }) => lastEventAt),
		then: limitReached('progressMs'),
	},
	{
		name: 'the total limit ends the run',
		at: limitAt('totalMs', (_stream, { beganAt }) => beganAt),
		then: limitReached('totalMs'),
	},
	{
		name: 'while the stream is silent, the record is looked at',
		at: ({ stream, plan, run, pendingLook: look, abandoned }) => {
			if (stream?.answeredAt === undefined || stream.endRecord !== undefined) return undefined;
			if (run.workflowRunId === undefined) return undefined;
			if (look !== undefined || abandoned !== undefined) return undefined;
			return (
				stream.quietSince + pauseBeforeLook(plan.waits.looksMs[stream.kind], stream.looksInSilence)
			);
		},
		then: (state) => {
			state.stream!.looksInSilence++;
			return lookFor(state, 'silence');
		},
	},
	{
		name: 'the record ends the run, once its last events had time to come',
		at: ({ stream }) =>
			stream?.endRecord === undefined ? undefined : stream.endRecord.at + LAST_EVENTS_MS,
		then: hangUp,
	},
	{
		name: 'a stream that stays open after the end of the run is closed',
		at: ({ stream }) => stream?.closesAt,
		then: hangUp,
	},
	{
		name: 'Stop waits for the task ID',
		at: ({ stream, abandoned, stop }) =>
			stream !== undefined && abandoned?.reason === 'cancelled' && stop === undefined
				? abandoned.at + TASK_ID_WAIT_MS
				: undefined,
		then: hangUp,
	},
	{
		name: 'a stopped run is read to its end, for a while',
		at: ({ stream, stop }) =>
			stream === undefined || stop === undefined ? undefined : stop.at + AFTER_STOP_MS,
		then: hangUp,
	},
	{
		name: 'a lost run is attached to, or looked at, again',
		at: ({ stream, pendingLook: look, resumesAt }) =>
			stream === undefined && look === undefined ? resumesAt : undefined,
		then: resume,
	},
];

/** The earliest time at which a rule of waiting applies. */
export function nextDeadline(state: Observation): number | undefined {
	const times = WAITING_RULES.flatMap(({ at }) => at(state) ?? []);
	return times.length === 0 ? undefined : smallestOf(times);
}

/** Applies the rule whose time came first. */
export function timePassed(state: Observation): Action[] {
	const deadline = nextDeadline(state);
	if (deadline === undefined || deadline > state.now) return [];
	return WAITING_RULES.find(({ at }) => at(state) === deadline)!.then(state);
}

/** When a limit runs out that is counted from `since`. */
function limitAt(
	name: keyof RunLimits,
	since: (stream: StreamState, state: Observation) => number | undefined,
): WaitingRule['at'] {
	const appliesBeforeHeaders = name === 'firstByteMs' || name === 'totalMs';
	return (state) => {
		const { stream, plan, abandoned } = state;
		if (stream === undefined || abandoned !== undefined) return undefined;
		if (stream.limitReached !== undefined) return undefined;
		if (stream.answeredAt === undefined && !appliesBeforeHeaders) return undefined;
		const from = since(stream, state);
		const limit = plan.limits[name];
		return limit === 0 || from === undefined ? undefined : from + limit;
	};
}

/** Whether the run waits for a worker: from the second piece on there are pings, so silence counts. */
function isQueued({ hasEvents, pieces }: StreamState): boolean {
	return !hasEvents && pieces < 2;
}

/** If the run is over, its record is the result, even after a time limit. */
function limitReached(name: keyof RunLimits): WaitingRule['then'] {
	return (state) => {
		const { plan, run, stream } = state;
		const detail = limitDetail(name, plan.limits);
		const why = { reason: name === 'queueMs' ? 'queued' : 'idle', detail } as const;
		if (run.workflowRunId === undefined) return abandon(state, why);
		stream!.limitReached = why;
		return lookFor(state, 'limit');
	};
}

function pauseBeforeLook(pausesMs: readonly number[], looks: number): number {
	return pausesMs[Math.min(looks, pausesMs.length - 1)] ?? 0;
}

function resume(state: Observation): Action[] {
	state.resumesAt = undefined;
	if (state.stoppedLooks > 0) return lookFor(state, 'stopped');
	return state.isAttachable ? openStream(state, 'attach') : lookFor(state, 'lost');
}
