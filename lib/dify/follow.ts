import type { EventStream } from '../http/types';
import { asFailed, ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import { createRun, finish, reduce, type RunState } from './events';
import { answerError, difyFailure, runError } from './failure';
import { DEFAULT_RUN_LIMITS, type RunLimits } from './run-limits';
import { findRecord, goesOn, stillRunning, type RunRecord } from './run-record';
import { RunReader, type ReadingOptions } from './run-reading';
import type { RunResult } from './types';

export interface FollowOptions extends ReadingOptions {
	limits?: Partial<RunLimits>;
	/** What is known of the run already. Default: nothing. */
	state?: RunState;
	/** Tells Dify to stop the run when it is given up. Default: the run is somebody else's, and goes on. */
	stop?: (taskId: string) => Promise<boolean>;
	/** Tokens of forms that were just answered: a pause that shows only them is an old one. */
	answered?: ReadonlySet<string>;
	/** Milliseconds between two attachments, at first; they grow up to 10 s. */
	pauseMs?: number;
	/** Milliseconds in which an answered form must have let the run go on. */
	resumeMs?: number;
}

const PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 10_000;

/** After a form was answered, the run goes on a moment later (docs/protocols/dify.md 2.5). */
const RESUME_MS = 30_000;

/**
 * Attaches to a run that was started before, and reads it to its end: Dify 1.14 and later replay what is over, then
 * send what comes (docs/protocols/dify.md 2.4). A stream that ends early is attached to again while the run goes on.
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
	const { signal, hints, answered, pauseMs = PAUSE_MS, resumeMs = RESUME_MS } = options;
	const limits = { ...DEFAULT_RUN_LIMITS, ...options.limits };
	const begun = performance.now();
	const url = eventsUrl(client, runId, user, hints?.acrossPauses === true);
	let state = options.state ?? createRun(hints);
	let [seen, seenAt] = [progressOf(state), begun];
	for (let again = 0; ; again++) {
		const left = leftOf(limits, performance.now() - begun, performance.now() - seenAt);
		const { result, failed } = await attach(client, url, { ...options, limits: left, state });
		if (result.status === 'paused' && isOld(result, answered)) {
			if (performance.now() - begun > resumeMs) throw notResumed(url, result);
			state = createRun(hints);
			await rest(client, url, pauseMs, result, signal);
			continue;
		}
		if (failed === undefined) return withoutAnswered(result, answered);
		if (!isLost(failed)) throw failed;
		const record = await findRecord(client, runId, signal).catch(() => undefined);
		if (record !== undefined && !goesOn(record, hints?.acrossPauses)) return recordedResult(client, state, record, url);
		// A snapshot repeats what is known: only what is new shows that the run goes on.
		if (progressOf(state) !== seen) [seen, seenAt] = [progressOf(state), performance.now()];
		else if (limits.progressMs > 0 && performance.now() - seenAt >= limits.progressMs)
			throw stillRunning(client, runId, limits.progressMs);
		if (limits.totalMs > 0 && performance.now() - begun >= limits.totalMs)
			throw stillRunning(client, runId, limits.totalMs);
		const leftMs = limits.totalMs > 0 ? limits.totalMs - (performance.now() - begun) : Infinity;
		await rest(client, url, Math.min(pauseMs * 2 ** again, MAX_PAUSE_MS, leftMs), result, signal);
	}
}

function eventsUrl(client: DifyClient, runId: string, user: string, acrossPauses: boolean): string {
	return client.url(`/workflow/${runId}/events`, {
		user,
		include_state_snapshot: 'true',
		continue_on_pause: acrossPauses ? 'true' : undefined,
	});
}

/** The result of a run, and its error where it has one. */
interface Attached {
	result: RunResult;
	failed?: ServerError;
}

async function attach(
	client: DifyClient,
	url: string,
	options: FollowOptions & { limits: RunLimits; state: RunState },
): Promise<Attached> {
	const { connection } = client;
	const reader = new RunReader(options, options.limits, options.stop, options.state);
	try {
		const stream = await connection.stream(url, {
			method: 'GET',
			signal: reader.signal,
			onBytes: () => reader.piece(),
			limits: { firstTokenMs: 0, idleMs: 0, totalMs: 0 },
			refuse: (answer) => answerError(connection, answer, 'GET'),
		});
		const reading = await reader.read(stream);
		if (reading.refused !== undefined) throw reading.refused;
		const { reason, detail } = reader.givenUp ?? reading;
		const result = finish(reader.state, reason, detail === undefined ? undefined : connection.mask(detail));
		return ended(client, result, stream, reader);
	} catch (error) {
		// Before the headers, the reader's limit or Stop closes the connection.
		const { givenUp, state } = reader;
		if (givenUp === undefined && options.signal?.aborted !== true) throw asFailed(error).failed;
		const { reason, detail } = givenUp ?? { reason: 'abort' as const };
		state.givenUp = true;
		return ended(client, finish(state, reason, detail), { url, headers: {} }, reader);
	} finally {
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

/** The stream ended, but not the run as far as anybody knows. */
export function isLost({ kind }: ServerError): boolean {
	return kind === 'streamEndedEarly' || kind === 'queued';
}

/** What is left of the limits that count over all attachments; 0 is none. */
function leftOf(limits: RunLimits, passedMs: number, quietMs: number): RunLimits {
	const left = (limit: number, passed: number) => (limit > 0 ? Math.max(1, limit - passed) : 0);
	return {
		...limits,
		totalMs: left(limits.totalMs, passedMs),
		progressMs: left(limits.progressMs, quietMs),
	};
}

/** Changes whenever something is heard of the run that was not known. */
function progressOf({ text, forms, workflow }: RunState): string {
	const nodes = workflow?.nodes.map(({ id, status, passes }) => `${id} ${status} ${passes ?? ''}`) ?? [];
	return [text.length, forms.length, workflow?.status, ...nodes].join('|');
}

function isOld({ pause }: RunResult, answered: ReadonlySet<string> | undefined): boolean {
	if (answered === undefined || pause === undefined || pause.forms.length === 0) return false;
	return pause.forms.every(({ formToken }) => formToken !== null && answered.has(formToken));
}

function withoutAnswered(result: RunResult, answered: ReadonlySet<string> | undefined): RunResult {
	const { pause } = result;
	if (pause === undefined || answered === undefined) return result;
	const forms = pause.forms.filter(({ formToken }) => formToken === null || !answered.has(formToken));
	return { ...result, pause: { ...pause, forms } };
}

async function rest(
	client: DifyClient,
	url: string,
	ms: number,
	result: RunResult,
	signal: AbortSignal | undefined,
): Promise<void> {
	try {
		await client.pause(ms, url, signal);
	} catch {
		throw difyFailure('cancelled', { url, result });
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

/** What a run's record says, added to what is known of the run. */
export function resultOfRecord(state: RunState, record: RunRecord): RunResult {
	const { runId, status } = record;
	const data = {
		id: runId,
		workflow_id: record.workflowId,
		status,
		outputs: record.outputs,
		error: record.error,
		elapsed_time: record.elapsedTime,
		total_tokens: record.totalTokens,
		total_steps: record.totalSteps,
		created_at: record.createdAt,
		finished_at: record.finishedAt,
	};
	reduce(state, { event: status === 'paused' ? 'workflow_paused' : 'workflow_finished', workflow_run_id: runId, data });
	return finish(state, 'closed');
}

/** As above. @throws {ServerError} where the run failed */
export function recordedResult(client: DifyClient, state: RunState, record: RunRecord, url: string): RunResult {
	const result = resultOfRecord(state, record);
	if (result.status !== 'failed') return result;
	throw runError(client.connection, result, { url, headers: {} });
}

/**
 * Dify before 1.14 has no such route and answers with a page, as any wrong base URL does; its header tells its version.
 *
 * @param what begins a sentence: "Following a run"
 * @param instead what to do where Dify is not updated
 */
export function tooOld(error: unknown, what: string, instead = ''): unknown {
	if (!(error instanceof ServerError) || error.kind !== 'routeNotFound') return error;
	const { difyVersion: version } = error.facts;
	const isKnown = typeof version === 'string';
	if (isKnown && !/^(?:0\.|1\.\d\b|1\.1[0-3]\b)/.test(version)) return error;
	return difyFailure('routeNotFound', {
		url: error.url,
		status: error.status,
		message: `${what} needs Dify 1.14 or newer${isKnown ? `, this is ${version}` : ''}`,
		remedy: isKnown
			? `Update Dify.${instead}`
			: 'Either this Dify is older, or the base URL in the credential does not lead to the API of Dify: it usually ends in /v1.',
		facts: error.facts,
	});
}
