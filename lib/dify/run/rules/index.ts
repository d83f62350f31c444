/**
 * The rules of observing a run: what each fact changes, and what to do then. They know neither sockets nor clocks; the
 * loop in `observe.ts` carries out what they say. Three tables hold the decisions: what happens while nothing happens
 * (`waiting.ts`), what the end of a stream means (`ends.ts`), and what the record of a lost run means (`looks.ts`).
 */
import { reduce, type RunState } from '../../events';
import type { TextDelta } from '../../types';
import type { Action, Fact, Observation, Plan, StreamFact, StreamState } from '../observation';
import type { RunRecord } from '../record';
import { abandon, stopAnswered } from './abandon';
import { awaitStoppedRecord, endOfStream, hangUp } from './ends';
import { afterLook } from './looks';
import { progressOf } from './progress';
import { end, openStream, stopOnce } from './steps';
import { nextDeadline, timePassed } from './waiting';

interface Step {
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
		now,
		streamCount: 0,
		lookCount: 0,
		isConfirmed: false,
		isAttachable: true,
		failedAttachments: 0,
		wasSeenRunning: false,
		isLookRefused: false,
		pausedRecords: 0,
		isPauseConfirmed: false,
		progress: { mark: progressOf(run), at: now },
		stoppedLooks: 0,
	};
}

/** Applies a fact. Changes the state in place; depends only on state, fact and time. */
export function next(state: Observation, fact: Fact, now: number): Step {
	state.now = now;
	const actions = 'stream' in fact ? reactToStream(state, fact) : react(state, fact);
	return { actions, wakeAt: nextDeadline(state) };
}

function react(state: Observation, fact: Exclude<Fact, StreamFact>): Action[] {
	switch (fact.type) {
		case 'begin':
			return openStream(state, state.plan.begin);
		case 'looked':
			return looked(state, fact);
		case 'stop':
			return abandon(state, fact.why);
		case 'stopAnswered':
			return stopAnswered(state, fact.isAccepted);
		case 'silence':
			return timePassed(state);
	}
}

function reactToStream(state: Observation, fact: StreamFact): Action[] {
	const { stream } = state;
	const isOld = fact.stream !== state.streamCount;
	if (stream === undefined || isOld) return [];
	switch (fact.type) {
		case 'answered':
			return answered(state, stream, fact.head);
		case 'bytes':
			return bytes(state, stream);
		case 'events':
			return events(state, stream, fact.events);
		case 'closed':
			return endOfStream(state, stream, fact.closing);
	}
}

function answered(state: Observation, stream: StreamState, head: Observation['head']): Action[] {
	state.head = head;
	stream.answeredAt = state.now;
	stream.lastPieceAt = state.now;
	stream.quietSince = state.now;
	if (stream.kind === 'send') stream.lastEventAt = state.now;
	return [];
}

function bytes(state: Observation, stream: StreamState): Action[] {
	stream.pieces++;
	stream.lastPieceAt = state.now;
	return [];
}

function events(state: Observation, stream: StreamState, batch: unknown[]): Action[] {
	noteEvents(state, stream);
	const { deltas, isOver } = reduceAll(state, stream, batch);
	if (state.abandoned !== undefined) return stopOnce(state);
	const shown: Action[] = deltas.length === 0 ? [] : [{ do: 'show', deltas }];
	return isOver ? [...shown, ...hangUp(state)] : shown;
}

/** The stream lives, so no look at the record is needed. */
function noteEvents(state: Observation, stream: StreamState): void {
	stream.lastEventAt = state.now;
	stream.quietSince = state.now;
	stream.hasEvents = true;
	stream.looksInSilence = 0;
	stream.endRecord = undefined;
	if (state.pendingLook?.why === 'silence') state.pendingLook = undefined;
}

/** Applies events that arrived together. */
function reduceAll(
	state: Observation,
	stream: StreamState,
	batch: unknown[],
): { deltas: TextDelta[]; isOver: boolean } {
	const deltas: TextDelta[] = [];
	for (const event of batch) {
		const step = reduce(state.run, event);
		for (const delta of step.deltas) deltas.push(delta);
		if (step.next === 'close') return { deltas, isOver: true };
		if (step.closeAfterMs === undefined || step.restartsWait) stream.closesAt = undefined;
		if (step.closeAfterMs !== undefined) stream.closesAt ??= state.now + step.closeAfterMs;
	}
	return { deltas, isOver: false };
}

/** The answer to a look at the record. */
function looked(
	state: Observation,
	{ look: number, record, without }: Fact & { type: 'looked' },
): Action[] {
	const { pendingLook: look, stream } = state;
	if (look?.number !== number || state.ending !== undefined) return [];
	state.pendingLook = undefined;
	state.unknownSince = without === 'unknown' ? (state.unknownSince ?? state.now) : undefined;
	state.wasSeenRunning ||= without === 'running';
	state.isLookRefused = without === 'refused';
	switch (look.why) {
		case 'lost':
			return afterLook(state, record);
		case 'stopped':
			return afterStoppedLook(state, record);
		case 'limit':
			return afterLimitLook(state, stream!, record);
		case 'silence':
			return afterSilenceLook(state, stream!, record);
	}
}

function afterSilenceLook(
	state: Observation,
	stream: StreamState,
	record: RunRecord | undefined,
): Action[] {
	stream.quietSince = state.now;
	if (record !== undefined) stream.endRecord = { record, at: state.now };
	return [];
}

function afterLimitLook(
	state: Observation,
	stream: StreamState,
	record: RunRecord | undefined,
): Action[] {
	if (record === undefined) return abandon(state, stream.limitReached!);
	stream.endRecord = { record, at: state.now };
	return hangUp(state);
}

function afterStoppedLook(state: Observation, record: RunRecord | undefined): Action[] {
	if (record === undefined) return awaitStoppedRecord(state);
	return end(state, { how: 'finished', reason: 'closed', stoppedRecord: record });
}
