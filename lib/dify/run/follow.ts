import type { EventStream } from '../../http/types';
import type { FailureKind } from '../../errors/kinds';
import { asFailed, ServerError } from '../../errors/server-error';
import { afterMs } from '../../http/limits';
import { pauseFor } from '../../http/waiting';
import { isRecord, recordOf } from '../../values';
import type { DifyClient } from '../client';
import { createRun, finish, reduce, singleText, type RunState } from '../events';
import { difyFailure, runError } from '../errors/failure';
import { DEFAULT_RUN_LIMITS, type RunLimits } from './limits';
import {
	MAX_WAIT_MS,
	DELAY_MS,
	endedRecord,
	isApiAway,
	notFound,
	stillRunning,
	type RunRecord,
} from './record';
import { RunReader, failureOf, type ReadingOptions } from './reading';
import type { RunResult, TextDelta } from '../types';

export interface FollowOptions extends ReadingOptions {
	limits?: Partial<RunLimits>;
	/** What is already known of the run. Default: nothing. */
	state?: RunState;
	/** Tells Dify to stop the run when it is abandoned. Default: the run goes on. */
	stop?: (taskId: string) => Promise<boolean>;
	/** Tokens of forms that were just answered: a pause that shows only them is an old one. */
	answered?: ReadonlySet<string>;
	/**
	 * The run is the caller's own, so its record counts also where attaching is impossible (Dify before 1.14): polled
	 * until the run is over, or read once.
	 */
	record?: 'wait' | 'once';
	/** Milliseconds between two attachments, at first; they grow up to 10 s. */
	pauseMs?: number;
	/** Milliseconds in which attaching must be answered: an API that restarts accepts connections before it answers. */
	openMs?: number;
	/** Milliseconds in which a run that has no stream must have a record. */
	unknownMs?: number;
	/** Milliseconds in which an answered form must have let the run go on. */
	resumeMs?: number;
}

const PAUSE_MS = 1_000;
const OPEN_MS = 15_000;
const MAX_PAUSE_MS = 10_000;

/** After a form was answered, the run goes on a moment later (docs/protocols/dify.md 2.5). */
const RESUME_MS = 30_000;

/** Milliseconds of silence before each look at the record: an attached stream has often lost its run. */
const LOOKS_MS = [3_000, 5_000, 8_000, 15_000];

/** Pauses before polls of a stopped run's record, which Dify writes a moment after the stream ends. */
const STOPPED_LOOKS_MS = [0, 1_000, 2_000];

/** Warning about a run whose stream did not tell its end. */
const RECORDED =
	'The stream broke off before the end of the run: the result comes from the record that Dify keeps.';

/** Seen in Dify 1.16 (docs/protocols/dify.md 12.3). */
const ABORTED =
	'The run ended as stopped after its form was answered. Dify 1.16 does that to runs of workflow apps by itself; those of chatflows go on.';

/** Failures after which a known run cannot be attached to, but still has a record. */
const CANNOT_ATTACH: ReadonlySet<FailureKind> = new Set([
	'routeNotFound',
	'runNotFound',
	'notFound',
	'serverError',
]);

/**
 * Attaches to a run that was started before, and waits for its end: Dify 1.14 and later replay past events, then send
 * new ones (docs/protocols/dify.md 2.4). Attaches again if the stream ends before the run. While the stream is silent,
 * and before any error, it checks the run's record, which then is the result.
 *
 * @returns a run that succeeded, paused, or was stopped
 * @throws {ServerError} `routeNotFound` where Dify is too old, `runNotFound` for another user's run, and as `startRun`
 */
export async function followRun(
	client: DifyClient,
	runId: string,
	user: string,
	options: FollowOptions = {},
): Promise<RunResult> {
	const {
		hints,
		answered,
		pauseMs = PAUSE_MS,
		resumeMs = RESUME_MS,
		unknownMs = DELAY_MS,
	} = options;
	const acrossPauses = hints?.acrossPauses === true;
	const limits = { ...DEFAULT_RUN_LIMITS, ...options.limits };
	const begun = performance.now();
	const url = eventsUrl(client, runId, user, acrossPauses);
	let unknownAt: number | undefined;
	const look = async () => {
		let isUnknown = false;
		const record = await endedRecord(client, runId, acrossPauses, () => (isUnknown = true));
		unknownAt = isUnknown ? (unknownAt ?? performance.now()) : undefined;
		return record;
	};
	const begin = () => Object.assign(createRun(hints), { workflowRunId: runId });
	let state = options.state ?? begin();
	let [seen, seenAt] = [progressOf(state), begun];
	let isKnown = options.state !== undefined;
	let canAttach = true;
	for (let again = 0, pauses = 0; ; again++) {
		const left = remainingLimits(limits, performance.now() - begun, performance.now() - seenAt);
		const reading = { looksMs: LOOKS_MS, ...options, look, limits: left, state };
		const attached: Attached = canAttach ? await attach(client, url, reading) : {};
		const { result, failed } = attached;
		const isUnattachable = failed !== undefined && CANNOT_ATTACH.has(failed.kind);
		const isPassing = failed !== undefined && isKnown && isApiAway(failed);
		const mayGoOn = isPassing || (isUnattachable ? options.record !== undefined : isLost(failed));
		if (failed !== undefined && !mayGoOn) throw failed;
		const isTold = result !== undefined && failed === undefined;
		const record = attached.record ?? (isTold ? undefined : await look());
		const isAnswered = result?.status === 'paused' && isAnsweredPause(result, answered);
		if (isAnswered || (record?.status === 'paused' && answered !== undefined)) {
			if (performance.now() - begun > resumeMs)
				throw notResumed(url, result ?? finish(state, 'closed'));
			if (isAnswered) state = begin();
			await rest(client, url, pauseMs, state);
			continue;
		}
		if (isTold) {
			const whole = await completed(client, withoutAnswered(result, answered), runId);
			return whole.status === 'stopped' && answered !== undefined
				? withWarning(whole, ABORTED)
				: whole;
		}
		// Only a stream knows the forms of a pause.
		if (record !== undefined && (record.status !== 'paused' || pauses++ > 0 || !canAttach))
			return await recordedResult(client, state, record, url, options);
		if (isUnattachable && options.record === 'once') throw failed;
		if (unknownAt !== undefined && performance.now() - unknownAt >= unknownMs)
			notFound(client, runId);
		canAttach &&= !isUnattachable;
		isKnown ||= failed === undefined || isLost(failed);
		// A snapshot repeats what is known: only new progress shows that the run goes on.
		if (progressOf(state) !== seen) [seen, seenAt] = [progressOf(state), performance.now()];
		const quietMs = canAttach ? limits.progressMs : MAX_WAIT_MS;
		if (quietMs > 0 && performance.now() - seenAt >= quietMs)
			throw stillRunning(client, runId, quietMs);
		if (limits.totalMs > 0 && performance.now() - begun >= limits.totalMs)
			throw stillRunning(client, runId, limits.totalMs);
		const leftMs = limits.totalMs > 0 ? limits.totalMs - (performance.now() - begun) : Infinity;
		await rest(client, url, Math.min(pauseMs * 2 ** again, MAX_PAUSE_MS, leftMs), state);
	}
}

/** A run of Dify 1.16 that ends as stopped after a form has its outputs only in its record, a moment later. */
async function completed(client: DifyClient, result: RunResult, runId: string): Promise<RunResult> {
	if (result.status !== 'stopped' || Object.keys(recordOf(result.workflow?.outputs)).length > 0)
		return result;
	for (const ms of STOPPED_LOOKS_MS) {
		await pauseFor(ms, client.signal).catch(() => undefined);
		const record = await endedRecord(client, runId);
		if (record === undefined) continue;
		const { outputs, error } = record;
		return {
			...result,
			text: result.text || (singleText(outputs) ?? ''),
			workflow: { ...result.workflow!, outputs, error },
		};
	}
	return result;
}

function eventsUrl(client: DifyClient, runId: string, user: string, acrossPauses: boolean): string {
	return client.url(`/workflow/${runId}/events`, {
		user,
		include_state_snapshot: 'true',
		continue_on_pause: acrossPauses ? 'true' : undefined,
	});
}

/** Result of a run, with its error if it failed, or its record where only that tells the end. */
interface Attached {
	result?: RunResult;
	failed?: ServerError;
	record?: RunRecord;
}

async function attach(
	client: DifyClient,
	url: string,
	options: FollowOptions & { limits: RunLimits; state: RunState },
): Promise<Attached> {
	const reader = new RunReader(
		client,
		options,
		{ ...options.limits, firstByteMs: 0 },
		options.stop,
		options.state,
	);
	const slow = new AbortController();
	const callOff = afterMs(options.openMs ?? OPEN_MS, () => slow.abort());
	try {
		const stream = await reader.open(url, { method: 'GET' }, slow.signal);
		callOff();
		const reading = await reader.read(stream);
		if (reading.refused !== undefined) throw reading.refused;
		if (reading.record !== undefined) return { record: reading.record };
		return ended(client, reader.resultOf(reading), stream, reader);
	} catch (error) {
		// Before the headers, the reader's limit or Stop closes the connection.
		const { abandoned, state } = reader;
		if (abandoned === undefined && slow.signal.aborted)
			return { failed: difyFailure('streamEndedEarly', { url }) };
		if (abandoned === undefined && client.signal?.aborted !== true) return asFailed(error);
		const { reason, detail } = abandoned ?? { reason: 'abort' as const };
		state.abandoned = true;
		return ended(client, finish(state, reason, detail), { url, headers: {} }, reader);
	} finally {
		callOff();
		reader.end();
	}
}

function ended(
	{ connection }: DifyClient,
	result: RunResult,
	stream: Pick<EventStream, 'url' | 'headers'>,
	{ stopRequested }: RunReader,
): Attached {
	if (result.status !== 'failed') return { result };
	return { result, failed: runError(connection, result, stream, stopRequested) };
}

/** Whether the stream ended, but perhaps not the run. */
function isLost(failed: ServerError | undefined): boolean {
	return failed?.kind === 'streamEndedEarly' || failed?.kind === 'queued';
}

/** What is left of the limits that span all attachments; 0 = no limit. */
function remainingLimits(limits: RunLimits, passedMs: number, quietMs: number): RunLimits {
	const left = (limit: number, passed: number) => (limit > 0 ? Math.max(1, limit - passed) : 0);
	return {
		...limits,
		totalMs: left(limits.totalMs, passedMs),
		progressMs: left(limits.progressMs, quietMs),
	};
}

/** A text that changes whenever the run makes progress. */
function progressOf({ text, forms, workflow }: RunState): string {
	const nodes =
		workflow?.nodes.map(({ id, status, passes }) => `${id} ${status} ${passes ?? ''}`) ?? [];
	return [text.length, forms.length, workflow?.status, ...nodes].join('|');
}

function isAnsweredPause({ pause }: RunResult, answered: ReadonlySet<string> | undefined): boolean {
	if (answered === undefined || pause === undefined || pause.forms.length === 0) return false;
	return pause.forms.every(({ formToken }) => formToken !== null && answered.has(formToken));
}

function withoutAnswered(result: RunResult, answered: ReadonlySet<string> | undefined): RunResult {
	const { pause } = result;
	if (pause === undefined || answered === undefined) return result;
	const forms = pause.forms.filter(
		({ formToken }) => formToken === null || !answered.has(formToken),
	);
	return { ...result, pause: { ...pause, forms } };
}

async function rest(client: DifyClient, url: string, ms: number, state: RunState): Promise<void> {
	try {
		await client.pause(ms, url);
	} catch {
		throw difyFailure('cancelled', { url, result: finish(state, 'abort') });
	}
}

function notResumed(url: string, result: RunResult): ServerError {
	return difyFailure('timeout', {
		url,
		message: 'The run in Dify does not go on',
		meaning: 'Dify accepted the answer to the form, but the run still waits',
		remedy:
			'Perhaps the worker of Dify is busy or down (docker compose ps). Do not submit the form again: follow the run later with the operation Follow.',
		result,
		retryable: false,
	});
}

/** Applies a run's record to its state. */
function addRecord(
	state: RunState,
	{ runId, status, outputs, createdAt, finishedAt, raw }: RunRecord,
): TextDelta[] {
	const times = { created_at: createdAt, finished_at: finishedAt };
	const data = { ...raw, ...times, outputs, files: filesIn(outputs) };
	const event = {
		event: status === 'paused' ? 'workflow_paused' : 'workflow_finished',
		workflow_run_id: runId,
		data,
	};
	return reduce(state, event).deltas;
}

/** Files of a chatflow's answer: a list, in Dify 1.14 inside an object. */
function filesIn(outputs: unknown): unknown {
	const { files } = recordOf(outputs);
	return isRecord(files) ? files.value : files;
}

export function withWarning(result: RunResult, warning: string): RunResult {
	return { ...result, warnings: [...result.warnings, warning] };
}

/**
 * The result of a run from its record, shown like any other.
 *
 * @throws {ServerError} where the run failed
 */
export async function recordedResult(
	client: DifyClient,
	state: RunState,
	record: RunRecord,
	url: string,
	{ onDeltas }: Pick<ReadingOptions, 'onDeltas'>,
): Promise<RunResult> {
	const deltas = addRecord(state, record);
	if (deltas.length > 0) await failureOf(async () => await onDeltas?.(deltas));
	const result = finish(state, 'closed');
	if (result.status !== 'failed') return withWarning(result, RECORDED);
	throw runError(client.connection, result, { url, headers: {} });
}
