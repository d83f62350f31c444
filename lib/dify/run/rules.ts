/**
 * The rules of observing a run: what each fact changes, and what to do then. They know neither sockets nor clocks; the
 * loop in `observe.ts` carries out what they say.
 */
import type { FailureKind } from '../../errors/kinds';
import type { ServerError } from '../../errors/server-error';
import {
	beginAttachment,
	createRun,
	finish,
	isChatflow,
	isUnfinished,
	knownText,
	reduce,
	reopen,
	type RunState,
} from '../events';
import { recordOf, smallestOf } from '../../values';
import type { RunResult, TextDelta } from '../types';
import { limitDetail, type RunLimits } from './limits';
import type {
	AbandonReason,
	Action,
	Closing,
	Ending,
	Fact,
	Line,
	Look,
	Observation,
	Plan,
} from './observation';
import { MAX_WAIT_MS, type RunRecord } from './record';

/**
 * How long a stopped run is still read, so that Dify stores the answer: it ended 60 of 60 streams 0.1 to 1.2 s after
 * the stop (docs/protocols/dify.md 12.1, 12.2).
 */
export const AFTER_STOP_MS = 3_000;

/** How long Stop waits for the task ID of a new run, without which Dify cannot stop it. */
export const TASK_ID_WAIT_MS = 1_000;

/** The last events of a run are sent a moment after its record is written. */
const LAST_EVENTS_MS = 1_000;

/** Failures of a new run after which it may go on. */
const LOST: ReadonlySet<FailureKind> = new Set([
	'streamEndedEarly',
	'queued',
	'connectionLost',
	'closedBeforeAnswer',
	'gateway',
]);

/** Failures after which a known run cannot be attached to, but still has a record. */
const CANNOT_ATTACH: ReadonlySet<FailureKind> = new Set([
	'routeNotFound',
	'runNotFound',
	'notFound',
	'serverError',
]);

/** Failures while the API of Dify restarts, or a proxy cannot reach it; the run goes on in its worker. */
const API_AWAY: ReadonlySet<FailureKind> = new Set([
	'refused',
	'closedBeforeAnswer',
	'connectionLost',
	'gateway',
]);

export interface Step {
	actions: Action[];
	/** When `silence` is the next fact, if nothing else happens before. */
	wakeAt: number | undefined;
}

/** An observation that has not begun. */
export function createObservation(plan: Plan, run: RunState, now: number): Observation {
	return {
		plan,
		run,
		beganAt: now,
		lines: 0,
		looks: 0,
		isConfirmed: false,
		isAttachable: true,
		attempts: 0,
		pausedRecords: 0,
		isPauseConfirmed: false,
		progress: { mark: progressOf(run), at: now },
		stoppedLooks: 0,
	};
}

/** Applies a fact. Changes the state in place; depends only on state, fact and time. */
export function next(state: Observation, fact: Fact, now: number): Step {
	return { actions: react(state, fact, now), wakeAt: nextDeadline(state) };
}

function react(state: Observation, fact: Fact, now: number): Action[] {
	if ('line' in fact) {
		const { line, lines } = state;
		return line === undefined || fact.line !== lines ? [] : reactToLine(state, line, fact, now);
	}
	switch (fact.type) {
		case 'begin':
			return open(state, state.plan.begin, now);
		case 'record':
			return recordRead(state, fact, now);
		case 'idFound':
			return idFound(state, fact.runId, now);
		case 'stop':
			return abandon(state, fact.why, now);
		case 'stopAnswered':
			return stopAnswered(state, fact.isAccepted, now);
		case 'silence':
			return dueRule(state, now)?.then(state, now) ?? [];
	}
}

function reactToLine(
	state: Observation,
	line: Line,
	fact: Extract<Fact, { line: number }>,
	now: number,
): Action[] {
	switch (fact.type) {
		case 'answered':
			return answered(state, line, fact.head, now);
		case 'bytes':
			return bytes(line, now);
		case 'events':
			return events(state, line, fact.events, now);
		case 'closed':
			return endOfStream(state, line, fact.closing, now);
	}
}

// Waiting

/** A rule of waiting: what is done at a time, unless something happens before. */
interface WaitingRule {
	name: string;
	at: (state: Observation) => number | undefined;
	then: (state: Observation, now: number) => Action[];
}

export const WAITING_RULES: readonly WaitingRule[] = [
	{
		name: 'the first byte limit ends a request without an answer',
		at: limitAt('firstByteMs', (line) =>
			line.kind === 'send' && line.answeredAt === undefined ? line.openedAt : undefined,
		),
		then: limitReached('firstByteMs'),
	},
	{
		name: 'an attachment that is not answered is tried again',
		at: ({ line, plan }) =>
			line?.kind === 'attach' && line.answeredAt === undefined
				? line.openedAt + plan.waits.openMs
				: undefined,
		then: hangUp,
	},
	{
		name: 'the queue limit ends the wait for a worker',
		at: limitAt('queueMs', (line) => (isQueued(line) ? line.answeredAt : undefined)),
		then: limitReached('queueMs'),
	},
	{
		name: 'the idle limit ends a stream without pings',
		at: limitAt('idleMs', (line) => (isQueued(line) ? undefined : line.lastPieceAt)),
		then: limitReached('idleMs'),
	},
	{
		name: 'the progress limit ends a stream of pings',
		at: limitAt('progressMs', ({ lastEventAt }) => lastEventAt),
		then: limitReached('progressMs'),
	},
	{
		name: 'the total limit ends the run',
		at: limitAt('totalMs', (_line, { beganAt }) => beganAt),
		then: limitReached('totalMs'),
	},
	{
		name: 'while the stream is silent, the record is looked at',
		at: ({ line, plan, run, look, abandoned }) => {
			if (line?.answeredAt === undefined || !plan.hasRecord || run.workflowRunId === undefined)
				return undefined;
			if (look !== undefined || abandoned !== undefined || line.recordFound !== undefined)
				return undefined;
			return line.quietSince + waitOf(plan.waits.looksMs[line.kind], line.looks);
		},
		then: (state) => {
			state.line!.looks++;
			return lookFor(state, 'silence');
		},
	},
	{
		name: 'the record ends the run, once its last events had time to come',
		at: ({ line }) =>
			line?.recordFound === undefined ? undefined : line.recordFound.at + LAST_EVENTS_MS,
		then: hangUp,
	},
	{
		name: 'a stream that stays open after the end of the run is closed',
		at: ({ line }) => line?.graceEndsAt,
		then: hangUp,
	},
	{
		name: 'Stop waits for the task ID',
		at: ({ line, abandoned, stop }) =>
			line !== undefined && abandoned?.reason === 'abort' && stop === undefined
				? abandoned.at + TASK_ID_WAIT_MS
				: undefined,
		then: hangUp,
	},
	{
		name: 'a stopped run is read to its end, for a while',
		at: ({ line, stop }) =>
			line === undefined || stop === undefined ? undefined : stop.at + AFTER_STOP_MS,
		then: hangUp,
	},
	{
		name: 'a lost run is attached to, or looked at, again',
		at: ({ line, look, resumesAt }) =>
			line === undefined && look === undefined ? resumesAt : undefined,
		then: resume,
	},
];

/** The earliest time at which a rule of waiting applies. */
function nextDeadline(state: Observation): number | undefined {
	const times = WAITING_RULES.flatMap(({ at }) => at(state) ?? []);
	return times.length === 0 ? undefined : smallestOf(times);
}

function dueRule(state: Observation, now: number): WaitingRule | undefined {
	const due = WAITING_RULES.map((rule) => ({ rule, at: rule.at(state) ?? Infinity })).filter(
		({ at }) => at <= now,
	);
	return due.sort((one, other) => one.at - other.at)[0]?.rule;
}

/** When a limit runs out that is counted from `since`. */
function limitAt(
	name: keyof RunLimits,
	since: (line: Line, state: Observation) => number | undefined,
): WaitingRule['at'] {
	return (state) => {
		const { line, plan, abandoned } = state;
		if (line === undefined || abandoned !== undefined || line.limitReached !== undefined)
			return undefined;
		// Only the first byte and the total are waited for before the headers.
		if (line.answeredAt === undefined && name !== 'firstByteMs' && name !== 'totalMs')
			return undefined;
		const from = since(line, state);
		const limit = plan.limits[name];
		return limit === 0 || from === undefined ? undefined : from + limit;
	};
}

/** Whether the run waits for a worker: from the second piece on there are pings, so silence counts. */
function isQueued({ hasEvents, pieces }: Line): boolean {
	return !hasEvents && pieces < 2;
}

/** If the run is over, its record is the result, even after a time limit. */
function limitReached(name: keyof RunLimits): WaitingRule['then'] {
	return (state, now) => {
		const { plan, run, line } = state;
		const detail = limitDetail(name, plan.limits);
		const why = { reason: name === 'queueMs' ? 'queued' : 'idle', detail } as const;
		if (!plan.hasRecord || run.workflowRunId === undefined) return abandon(state, why, now);
		line!.limitReached = why;
		return lookFor(state, 'limit');
	};
}

function waitOf(waits: readonly number[], at: number): number {
	return waits[Math.min(at, waits.length - 1)] ?? 0;
}

// A connection

function open(state: Observation, kind: Line['kind'], now: number): Action[] {
	const lastEventAt = kind === 'send' ? now : state.progress.at;
	state.lines++;
	state.resumesAt = undefined;
	state.line = {
		kind,
		openedAt: now,
		lastPieceAt: now,
		pieces: 0,
		lastEventAt,
		hasEvents: false,
		quietSince: now,
		looks: 0,
	};
	if (kind === 'attach') beginAttachment(state.run);
	return [{ do: kind, line: state.lines }];
}

function answered(
	state: Observation,
	line: Line,
	head: Observation['head'],
	now: number,
): Action[] {
	state.head = head;
	line.answeredAt = line.lastPieceAt = line.quietSince = now;
	if (line.kind === 'send') line.lastEventAt = now;
	return [];
}

function bytes(line: Line, now: number): Action[] {
	line.pieces++;
	line.lastPieceAt = now;
	return [];
}

function events(state: Observation, line: Line, batch: unknown[], now: number): Action[] {
	line.lastEventAt = line.quietSince = now;
	line.hasEvents = true;
	line.looks = 0;
	line.recordFound = undefined;
	if (state.look?.why === 'silence') state.look = undefined;
	const { deltas, isOver } = reduceAll(state.run, line, batch, now);
	if (state.abandoned === undefined && isOtherConversation(state)) {
		const why = { reason: 'otherConversation' } as const;
		return abandon(state, why, now);
	}
	if (state.abandoned !== undefined) return stopOnce(state, now);
	const shown: Action[] = deltas.length === 0 ? [] : [{ do: 'show', deltas }];
	if (!isOver) return shown;
	return [...shown, ...endOfStream(state, line, { reason: 'closed' }, now)];
}

/** Applies events that arrived together. */
function reduceAll(
	run: RunState,
	line: Line,
	batch: unknown[],
	now: number,
): { deltas: TextDelta[]; isOver: boolean } {
	const deltas: TextDelta[] = [];
	for (const event of batch) {
		const step = reduce(run, event);
		for (const delta of step.deltas) deltas.push(delta);
		if (step.graceMs === undefined || step.graceAnew === true) line.graceEndsAt = undefined;
		if (step.graceMs !== undefined) line.graceEndsAt ??= now + step.graceMs;
		if (step.next === 'close') return { deltas, isOver: true };
	}
	return { deltas, isOver: false };
}

function isOtherConversation({ run, plan }: Observation): boolean {
	const { onlyConversation } = plan;
	return onlyConversation !== undefined && differs(run.conversationId, onlyConversation);
}

/** Whether Dify names a conversation that is not the requested one. */
export function differs(conversationId: string | undefined, requested: string): boolean {
	return conversationId !== undefined && conversationId.toLowerCase() !== requested.toLowerCase();
}

function hangUp(state: Observation, now: number): Action[] {
	return endOfStream(state, state.line!, { reason: 'closed' }, now);
}

// Giving up

/**
 * Gives the run up: Stop, a time limit, a chat that cannot be written to. The connection stays open: Dify is told to
 * stop, and the stream is read until Dify ends it.
 */
function abandon(state: Observation, why: AbandonReason, now: number): Action[] {
	const { line, run, plan } = state;
	if (state.abandoned !== undefined || state.ending !== undefined) return [];
	if (line === undefined) return giveUp(state, { how: 'finished', ...why }, now);
	// The outcome is known, unless it is that of another conversation; only speech or the end of the stream is missing.
	if (!isUnfinished(run) && why.reason !== 'otherConversation') return hangUp(state, now);
	state.abandoned = { ...why, at: now };
	run.abandoned = true;
	if (!plan.stops) return hangUp(state, now);
	if (run.taskId !== undefined) return stopOnce(state, now);
	// After a time limit without any event there is no further wait.
	return why.reason === 'abort' ? [] : hangUp(state, now);
}

/** Ends the observation of a run that goes on, without a connection. */
function giveUp(state: Observation, ending: Ending, now: number): Action[] {
	state.run.abandoned = true;
	return [...stopOnce(state, now), ...end(state, ending)];
}

function stopOnce(state: Observation, now: number): Action[] {
	const { taskId } = state.run;
	if (state.stop !== undefined || taskId === undefined || !state.plan.stops) return [];
	state.stop = { at: now };
	return [{ do: 'stop', taskId }];
}

function stopAnswered(state: Observation, isAccepted: boolean, now: number): Action[] {
	if (state.stop !== undefined) state.stop.isAccepted = isAccepted;
	if (state.ending !== undefined) return end(state, state.ending);
	// Without the stop, the run would not end soon.
	return isAccepted || state.line === undefined ? [] : hangUp(state, now);
}

/** The result says whether the stop was accepted, so its answer is waited for. */
function end(state: Observation, ending: Ending): Action[] {
	state.ending = ending;
	const isStopping = state.stop !== undefined && state.stop.isAccepted === undefined;
	return isStopping ? [] : [{ do: 'end', ending }];
}

// The end of a stream

/** What is known when a stream has ended. */
interface Ended {
	line: Line;
	closing: Closing;
	/** By the events alone. */
	result: RunResult;
	/** Whether the run may go on without its stream. */
	isLost: boolean;
}

interface EndRule {
	name: string;
	when: (state: Observation, ended: Ended, now: number) => boolean;
	then: (state: Observation, ended: Ended, now: number) => Action[];
}

/** What the end of a stream means: the first rule that applies. */
export const END_RULES: readonly EndRule[] = [
	{
		name: 'a run that was given up ends, whatever its stream said',
		when: (state) => state.abandoned !== undefined,
		then: (state, { line }) => end(state, abandonedEnding(state, line)),
	},
	{
		name: 'the record wins over a stream that does not tell the end',
		when: (_state, { line }) => isEnd(line.recordFound?.record),
		then: (state, { line }) => end(state, { how: 'record', record: line.recordFound!.record }),
	},
	{
		name: 'a whole answer in place of a stream is the result',
		when: (_state, { closing }) => closing.isWhole === true,
		then: (state) => end(state, { how: 'whole' }),
	},
	{
		name: 'a refusal is the end',
		when: (state, { closing, line, isLost }) =>
			closing.failed !== undefined && !isLost && !isPassing(state, line, closing.failed),
		then: (state, { closing }) => end(state, { how: 'failed', failed: closing.failed! }),
	},
	{
		name: 'a pause for a form that was just answered is an old one',
		when: (state, { result, closing }) =>
			closing.failed === undefined && isAnsweredPause(result, state.plan.answeredForms),
		then: (state, _ended, now) => {
			if (isResumeOverdue(state, now)) return end(state, { how: 'notResumed' });
			state.run = restarted(state.run);
			return rest(state, state.plan.waits.pauseMs, now);
		},
	},
	{
		name: 'outputs of a run that was stopped after a form stand in its record only',
		when: (_state, { line, result, closing }) =>
			line.kind === 'attach' && closing.failed === undefined && lacksOutputs(result),
		then: (state, _ended, now) => awaitStoppedRecord(state, now),
	},
	{
		name: 'a pause of a chatflow is attached to once more: its snapshot has the whole text',
		when: ({ run, isPauseConfirmed }, { result }) =>
			result.status === 'paused' && run.isAttached && isChatflow(run) && !isPauseConfirmed,
		then: (state, _ended, now) => {
			state.isPauseConfirmed = true;
			reopen(state.run);
			return open(state, 'attach', now);
		},
	},
	{
		name: 'the events tell the end',
		when: (_state, { isLost, closing }) => !isLost && closing.failed === undefined,
		then: (state, { closing }) => end(state, finished(closing)),
	},
	{
		name: 'a lost run that cannot be recovered is a failure',
		when: ({ plan }) => !plan.recovers,
		then: (state, { closing }) => end(state, lostEnding(closing)),
	},
	{
		name: 'a run that was lost before its ID is looked for',
		when: ({ run, plan }) => run.workflowRunId === undefined && plan.findsId,
		then: (state, ended, now) => {
			noteLoss(state, ended, now);
			return [{ do: 'findId' }];
		},
	},
	{
		name: 'a run that was lost without an ID is a failure',
		when: ({ run }) => run.workflowRunId === undefined,
		then: (state, { closing }) => end(state, lostEnding(closing)),
	},
	{
		name: 'a new run whose stream was lost is attached to at once',
		when: (_state, { line }) => line.kind === 'send',
		then: (state, ended, now) => {
			noteLoss(state, ended, now);
			return open(state, 'attach', now);
		},
	},
	{
		name: 'after a lost attachment the record is looked at',
		when: () => true,
		then: (state, { closing, line }, now) => {
			noteAttachment(state, closing.failed);
			const { record } = line.recordFound ?? {};
			return record === undefined ? lookFor(state, 'lost') : afterLook(state, record, now);
		},
	},
];

function endOfStream(state: Observation, line: Line, closing: Closing, now: number): Action[] {
	const isGraceOver = line.graceEndsAt !== undefined && line.graceEndsAt <= now;
	const known: Closing = isGraceOver
		? { ...closing, reason: 'closed', detail: undefined }
		: closing;
	state.line = undefined;
	state.look = undefined;
	noteProgress(state, now);
	const result = finish(state.run, known.reason, known.detail);
	const ended = { line, closing: known, result, isLost: isLost(state, line, known, result) };
	const rule = END_RULES.find(({ when }) => when(state, ended, now))!;
	return [{ do: 'close' }, ...rule.then(state, ended, now)];
}

function isLost(state: Observation, line: Line, { failed }: Closing, result: RunResult): boolean {
	if (failed === undefined) {
		const cause = result.error?.cause;
		return cause === 'endedEarly' || cause === 'queued' || cause === 'notFinished';
	}
	if (line.kind === 'send') return LOST.has(failed.kind);
	if (CANNOT_ATTACH.has(failed.kind)) return state.plan.record !== undefined;
	return failed.kind === 'streamEndedEarly' || failed.kind === 'queued';
}

/** Whether the failure of an attachment is that of an API which restarts. */
function isPassing(state: Observation, line: Line, failed: ServerError): boolean {
	return line.kind === 'attach' && state.isConfirmed && API_AWAY.has(failed.kind);
}

function abandonedEnding({ abandoned }: Observation, line: Line): Ending {
	const { reason, detail } = abandoned!;
	if (line.kind === 'send' && line.answeredAt === undefined)
		return { how: 'unanswered', why: { reason, detail } };
	return { how: 'finished', reason, detail };
}

function finished({ reason, detail }: Closing): Ending {
	return { how: 'finished', reason, detail };
}

function lostEnding(closing: Closing): Ending {
	return closing.failed === undefined
		? finished(closing)
		: { how: 'failed', failed: closing.failed };
}

function noteLoss(state: Observation, { closing, result }: Ended, now: number): void {
	state.lost = { closing, result, head: state.head };
	state.progress.at = now;
	state.isConfirmed = true;
}

function noteAttachment(state: Observation, failed: ServerError | undefined): void {
	const isUnattachable = failed !== undefined && CANNOT_ATTACH.has(failed.kind);
	state.attachFailure = failed;
	state.isAttachable &&= !isUnattachable;
	state.isConfirmed ||= failed === undefined || !isUnattachable;
}

function idFound(state: Observation, runId: string | undefined, now: number): Action[] {
	if (state.ending !== undefined) return [];
	if (runId !== undefined) {
		state.run.workflowRunId = runId;
		return open(state, 'attach', now);
	}
	const { closing } = state.lost!;
	state.lost = undefined;
	return end(state, lostEnding(closing));
}

// The record

function lookFor(state: Observation, why: Look['why']): Action[] {
	state.looks++;
	state.look = { number: state.looks, why };
	return [{ do: 'look', look: state.looks, runId: state.run.workflowRunId! }];
}

function recordRead(
	state: Observation,
	{ look: number, record, isUnknown }: Fact & { type: 'record' },
	now: number,
): Action[] {
	const { look, line } = state;
	if (look?.number !== number || state.ending !== undefined) return [];
	state.look = undefined;
	state.unknownSince = isUnknown ? (state.unknownSince ?? now) : undefined;
	if (look.why === 'lost') return afterLook(state, record, now);
	if (look.why === 'stopped') return afterStoppedLook(state, record, now);
	line!.quietSince = now;
	if (look.why === 'limit') return afterLimitLook(state, line!, record, now);
	if (record !== undefined) line!.recordFound = { record, at: now };
	return [];
}

function afterLimitLook(
	state: Observation,
	line: Line,
	record: RunRecord | undefined,
	now: number,
): Action[] {
	if (record === undefined) return abandon(state, line.limitReached!, now);
	line.recordFound = { record, at: now };
	return hangUp(state, now);
}

/** Whether the record tells the end of the run. Records hold no forms: a paused run is attached to. */
function isEnd(record: RunRecord | undefined): boolean {
	return record !== undefined && record.status !== 'paused';
}

interface LookRule {
	name: string;
	when: (state: Observation, record: RunRecord | undefined, now: number) => boolean;
	then: (state: Observation, record: RunRecord | undefined, now: number) => Action[];
}

/** What the record of a run without a stream means: the first rule that applies. */
export const LOOK_RULES: readonly LookRule[] = [
	{
		name: 'a run whose form was answered is paused for a moment longer',
		when: ({ plan }, record) => record?.status === 'paused' && plan.answeredForms !== undefined,
		then: (state, _record, now) =>
			isResumeOverdue(state, now)
				? end(state, { how: 'notResumed' })
				: rest(state, state.plan.waits.pauseMs, now),
	},
	{
		name: 'the record tells the end',
		when: ({ pausedRecords, isAttachable }, record) =>
			record !== undefined && (isEnd(record) || pausedRecords > 0 || !isAttachable),
		then: (state, record) => end(state, { how: 'record', record: record! }),
	},
	{
		name: 'a run that cannot be attached to is looked at once only',
		when: ({ plan, isAttachable }) => plan.record === 'once' && !isAttachable,
		then: (state) => end(state, { how: 'failed', failed: state.attachFailure! }),
	},
	{
		name: 'a run that Dify does not know is waited for only a moment',
		when: ({ unknownSince, plan }, _record, now) =>
			unknownSince !== undefined && now - unknownSince >= plan.waits.unknownMs,
		then: (state) => end(state, { how: 'unknownRun' }),
	},
	{
		name: 'a run that does not get on is given up',
		when: (state, _record, now) =>
			quietLimit(state) > 0 && now - state.progress.at >= quietLimit(state),
		then: (state, _record, now) =>
			giveUp(state, { how: 'stillRunning', limitMs: quietLimit(state) }, now),
	},
	{
		name: 'a run over its total limit is given up',
		when: ({ plan, beganAt }, _record, now) =>
			plan.limits.totalMs > 0 && now - beganAt >= plan.limits.totalMs,
		then: (state, _record, now) =>
			giveUp(state, { how: 'stillRunning', limitMs: state.plan.limits.totalMs }, now),
	},
	{
		name: 'a run that goes on is attached to again, each time a little later',
		when: () => true,
		then: (state, record, now) => {
			if (record !== undefined) state.pausedRecords++;
			const { pauseMs, maxPauseMs } = state.plan.waits;
			const pause = Math.min(pauseMs * 2 ** state.attempts, maxPauseMs);
			state.attempts++;
			return rest(state, pause, now);
		},
	},
];

function afterLook(state: Observation, record: RunRecord | undefined, now: number): Action[] {
	return LOOK_RULES.find(({ when }) => when(state, record, now))!.then(state, record, now);
}

/** A snapshot repeats what is known: only new progress shows that the run goes on. */
function noteProgress(state: Observation, now: number): void {
	const mark = progressOf(state.run);
	if (mark !== state.progress.mark) state.progress = { mark, at: now };
}

/** A text that changes whenever the run makes progress. */
function progressOf(run: RunState): string {
	const { forms, workflow } = run;
	const nodes =
		workflow?.nodes.map(({ id, status, passes }) => `${id} ${status} ${passes ?? ''}`) ?? [];
	return [knownText(run).length, forms.length, workflow?.status, ...nodes].join('|');
}

/** A record may say `running` for ever, so it is not waited for without any limit. */
function quietLimit({ isAttachable, plan }: Observation): number {
	return isAttachable ? plan.limits.progressMs : MAX_WAIT_MS;
}

/** Waits before the next attempt, at most until the total limit. */
function rest(state: Observation, pauseMs: number, now: number): Action[] {
	const { totalMs } = state.plan.limits;
	const left = totalMs > 0 ? Math.max(0, state.beganAt + totalMs - now) : Infinity;
	state.resumesAt = now + Math.min(pauseMs, left);
	return [];
}

function resume(state: Observation, now: number): Action[] {
	state.resumesAt = undefined;
	if (state.stoppedLooks > 0) return lookFor(state, 'stopped');
	return state.isAttachable ? open(state, 'attach', now) : lookFor(state, 'lost');
}

// Forms

function isAnsweredPause({ pause }: RunResult, answered: ReadonlySet<string> | undefined): boolean {
	if (answered === undefined || pause === undefined || pause.forms.length === 0) return false;
	return pause.forms.every(({ formToken }) => formToken !== null && answered.has(formToken));
}

function isResumeOverdue({ beganAt, plan }: Observation, now: number): boolean {
	return now - beganAt > plan.waits.resumeMs;
}

/** The same run, without its old pause. */
function restarted({ hints, workflowRunId }: RunState): RunState {
	return Object.assign(createRun(hints), { workflowRunId });
}

function lacksOutputs({ status, workflow }: RunResult): boolean {
	return status === 'stopped' && Object.keys(recordOf(workflow?.outputs)).length === 0;
}

function awaitStoppedRecord(state: Observation, now: number): Action[] {
	const pause = state.plan.waits.stoppedLooksMs[state.stoppedLooks];
	if (pause === undefined) return end(state, { how: 'finished', reason: 'closed' });
	state.stoppedLooks++;
	return rest(state, pause, now);
}

function afterStoppedLook(
	state: Observation,
	record: RunRecord | undefined,
	now: number,
): Action[] {
	if (record === undefined) return awaitStoppedRecord(state, now);
	return end(state, { how: 'finished', reason: 'closed', stoppedRecord: record });
}
