/**
 * The rules of observing a run: what each fact changes, and what to do then. They know neither sockets nor clocks; the
 * loop in `observe.ts` carries out what they say. Three tables hold the decisions: what happens while nothing happens
 * (`waiting.ts`), what the end of a stream means (`ends.ts`), and what the record of a lost run means (`looks.ts`).
 */
import { isOtherConversation } from '../../ids';
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
	const actions = 'stream' in fact ? reactToStream(state, fact, now) : react(state, fact, now);
	return { actions, wakeAt: nextDeadline(state) };
}

function react(state: Observation, fact: Exclude<Fact, StreamFact>, now: number): Action[] {
	switch (fact.type) {
		case 'begin':
			return openStream(state, state.plan.begin, now);
		case 'looked':
			return looked(state, fact, now);
		case 'stop':
			return abandon(state, fact.why, now);
		case 'stopAnswered':
			return stopAnswered(state, fact.isAccepted, now);
		case 'silence':
			return timePassed(state, now);
	}
}

function reactToStream(state: Observation, fact: StreamFact, now: number): Action[] {
	const { stream } = state;
	const isOld = fact.stream !== state.streamCount;
	if (stream === undefined || isOld) return [];
	switch (fact.type) {
		case 'answered':
			return answered(state, stream, fact.head, now);
		case 'bytes':
			return bytes(stream, now);
		case 'events':
			return events(state, stream, fact.events, now);
		case 'closed':
			return endOfStream(state, stream, fact.closing, now);
	}
}

function answered(
	state: Observation,
	stream: StreamState,
	head: Observation['head'],
	now: number,
): Action[] {
	state.head = head;
	stream.answeredAt = now;
	stream.lastPieceAt = now;
	stream.quietSince = now;
	if (stream.kind === 'send') stream.lastEventAt = now;
	return [];
}

function bytes(stream: StreamState, now: number): Action[] {
	stream.pieces++;
	stream.lastPieceAt = now;
	return [];
}

function events(state: Observation, stream: StreamState, batch: unknown[], now: number): Action[] {
	noteEvents(state, stream, now);
	const { deltas, isOver } = reduceAll(state.run, stream, batch, now);
	const { conversationId } = state.run;
	if (
		state.abandoned === undefined &&
		isOtherConversation(conversationId, state.plan.onlyConversation)
	)
		return abandon(state, { reason: 'otherConversation' }, now);
	if (state.abandoned !== undefined) return stopOnce(state, now);
	const shown: Action[] = deltas.length === 0 ? [] : [{ do: 'show', deltas }];
	return isOver ? [...shown, ...hangUp(state, now)] : shown;
}

/** The stream lives, so no look at the record is needed. */
function noteEvents(state: Observation, stream: StreamState, now: number): void {
	stream.lastEventAt = now;
	stream.quietSince = now;
	stream.hasEvents = true;
	stream.looksInSilence = 0;
	stream.endRecord = undefined;
	if (state.pendingLook?.why === 'silence') state.pendingLook = undefined;
}

/** Applies events that arrived together. */
function reduceAll(
	run: RunState,
	stream: StreamState,
	batch: unknown[],
	now: number,
): { deltas: TextDelta[]; isOver: boolean } {
	const deltas: TextDelta[] = [];
	for (const event of batch) {
		const step = reduce(run, event);
		for (const delta of step.deltas) deltas.push(delta);
		if (step.next === 'close') return { deltas, isOver: true };
		if (step.closeAfterMs === undefined || step.restartsWait) stream.closesAt = undefined;
		if (step.closeAfterMs !== undefined) stream.closesAt ??= now + step.closeAfterMs;
	}
	return { deltas, isOver: false };
}

/** The answer to a look at the record. */
function looked(
	state: Observation,
	{ look: number, record, without }: Fact & { type: 'looked' },
	now: number,
): Action[] {
	const { pendingLook: look, stream } = state;
	if (look?.number !== number || state.ending !== undefined) return [];
	state.pendingLook = undefined;
	state.unknownSince = without === 'unknown' ? (state.unknownSince ?? now) : undefined;
	state.wasSeenRunning ||= without === 'running';
	state.isLookRefused = without === 'refused';
	switch (look.why) {
		case 'lost':
			return afterLook(state, record, now);
		case 'stopped':
			return afterStoppedLook(state, record, now);
		case 'limit':
			return afterLimitLook(state, stream!, record, now);
		case 'silence':
			return afterSilenceLook(stream!, record, now);
	}
}

function afterSilenceLook(
	stream: StreamState,
	record: RunRecord | undefined,
	now: number,
): Action[] {
	stream.quietSince = now;
	if (record !== undefined) stream.endRecord = { record, at: now };
	return [];
}

function afterLimitLook(
	state: Observation,
	stream: StreamState,
	record: RunRecord | undefined,
	now: number,
): Action[] {
	if (record === undefined) return abandon(state, stream.limitReached!, now);
	stream.endRecord = { record, at: now };
	return hangUp(state, now);
}

function afterStoppedLook(
	state: Observation,
	record: RunRecord | undefined,
	now: number,
): Action[] {
	if (record === undefined) return awaitStoppedRecord(state, now);
	return end(state, { how: 'finished', reason: 'closed', stoppedRecord: record });
}
