import { asFailed, ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors/failure';
import { uuid } from '../ids';
import type { WorkflowRun } from '../types';
import { isApiAway } from './rules/failures';
import { parseJson } from '../../json';
import { finiteNumber, isRecord, nonEmptyText, type JsonRecord } from '../../values';

/** The record of a run (`GET /workflows/run/:id`). */
export interface RunRecord extends Omit<WorkflowRun, 'exceptionsCount' | 'nodes' | 'agentLogs'> {
	runId: string;
	/** Dify's own status. Before 1.15 a stopped run stays `running` for ever (docs/protocols/dify.md 2.4). */
	status: string;
	/** Without the variables of Dify itself (`sys.…`). */
	inputs: unknown;
	/** An object, or text where Dify stored no object. */
	outputs: unknown;
	/** As Dify sent it. */
	raw: JsonRecord;
}

/** Reads a run's record. @returns undefined for one without an ID or a status */
export function readRecord(body: JsonRecord): RunRecord | undefined {
	const runId = nonEmptyText(body.id);
	const status = nonEmptyText(body.status);
	if (runId === undefined || status === undefined) return undefined;
	return {
		runId,
		workflowId: nonEmptyText(body.workflow_id),
		status,
		inputs: withoutSystem(valuesIn(body.inputs)),
		outputs: valuesIn(body.outputs),
		error: nonEmptyText(body.error),
		totalSteps: finiteNumber(body.total_steps),
		totalTokens: finiteNumber(body.total_tokens),
		createdAt: finiteNumber(body.created_at),
		finishedAt: finiteNumber(body.finished_at),
		elapsedTime: finiteNumber(body.elapsed_time),
		raw: body,
	};
}

/** Dify sends inputs as JSON text, and nothing after a failure. Text that is not JSON stays text. */
function valuesIn(value: unknown): unknown {
	if (value === null || value === undefined || value === '') return {};
	if (typeof value !== 'string') return value;
	const parsed = parseJson(value);
	return parsed === null ? {} : (parsed ?? value);
}

function withoutSystem(inputs: unknown): unknown {
	if (!isRecord(inputs)) return inputs;
	return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith('sys.')));
}

/** Checks a run ID. @throws {ServerError} of kind `invalidId`: Dify would answer with a 500 */
export function runIdOf(value: unknown): string {
	return uuid(value, 'workflow run ID');
}

function pathOf(runId: string): string {
	return `/workflows/run/${runId}`;
}

/** The record of a run; undefined where it has no ID. @throws {ServerError} */
async function findRecord(client: DifyClient, runId: string): Promise<RunRecord | undefined> {
	return readRecord(await client.get(pathOf(runId)));
}

/** The record of a run. @throws {ServerError} of kind `runNotFound` */
export async function getRecord(client: DifyClient, runId: string): Promise<RunRecord> {
	const record = await findRecord(client, runId);
	if (record === undefined) throw notFoundError(client, runId);
	return record;
}

export function notFoundError(client: DifyClient, runId: string): ServerError {
	return difyFailure('runNotFound', {
		url: client.url(pathOf(runId)),
		facts: { workflowRunId: runId },
	});
}

/** Pauses between polls, in milliseconds; the last value repeats. */
const POLL_PAUSES_MS = [2_000, 3_000, 5_000, 8_000, 10_000];

/** How long a new run may have no record. */
const DELAY_MS = 10_000;

/** The longest wait for a record, since it may stay `running` for ever. */
export const MAX_WAIT_MS = 60 * 60_000;

interface WaitOptions {
	/** Milliseconds; 0 = `MAX_WAIT_MS`. */
	limitMs?: number;
	/** Pauses between two polls in milliseconds. */
	pausesMs?: readonly number[];
}

/**
 * Polls a run until it is over. Not for a run that was stopped before Dify 1.15: its record stays `running`. Not a case
 * for the observer, which gives the result of a run: here the record itself is wanted, and there is no stream.
 *
 * @throws {ServerError} of kind `timeout` when the limit runs out, `runNotFound`, `cancelled`
 */
export async function waitForRecord(
	client: DifyClient,
	runId: string,
	{ limitMs = 0, pausesMs = POLL_PAUSES_MS }: WaitOptions = {},
): Promise<RunRecord> {
	const begun = performance.now();
	const limit = limitMs > 0 ? Math.min(limitMs, MAX_WAIT_MS) : MAX_WAIT_MS;
	let isKnown = false;
	for (let polls = 0; ; polls++) {
		// Once the run was seen, an API that restarts is waited for.
		const record = await findRecord(client, runId).catch((error: unknown) => {
			if (isKnown && error instanceof ServerError && isApiAway(error.kind)) return undefined;
			throw error;
		});
		const passed = performance.now() - begun;
		if (record !== undefined && !isUnfinishedRecord(record)) return record;
		isKnown ||= record !== undefined;
		if (!isKnown && passed >= DELAY_MS) throw notFoundError(client, runId);
		if (passed >= limit) throw stillRunning(client, runId, limit);
		const pause = pausesMs[Math.min(polls, pausesMs.length - 1)] ?? 0;
		await client.pause(Math.min(pause, Math.max(0, limit - passed)), client.url(pathOf(runId)));
	}
}

const LOOK_LIMIT_MS = 5_000;

/** What a look at a run shows: its record once it is over, else why there is none. */
export type Sight =
	| { record: RunRecord; without?: undefined }
	| {
			record?: undefined;
			/**
			 * `running`: the run goes on. `unknown`: Dify has no such run. `refused`: Dify does not show its record. `failed`: the
			 * lookup failed.
			 */
			without: 'running' | 'unknown' | 'refused' | 'failed';
	  };

/** Looks up a run whose stream is silent or lost. Never fails. */
export async function lookAt(
	client: DifyClient,
	runId: string,
	acrossPauses = false,
): Promise<Sight> {
	const request = client.withSignal(undefined).get(pathOf(runId), {}, { timeoutMs: LOOK_LIMIT_MS });
	const outcome = await request.then((body) => ({ body }), asFailed);
	if ('failed' in outcome) return { without: withoutRecord(outcome.failed) };
	const record = readRecord(outcome.body);
	if (record === undefined) return { without: 'unknown' };
	return isUnfinishedRecord(record, acrossPauses) ? { without: 'running' } : { record };
}

function withoutRecord(error: ServerError): 'unknown' | 'refused' | 'failed' {
	if (isUnknownRun(error)) return 'unknown';
	const { code, status = 0, retryable } = error;
	// While an API restarts, a proxy may refuse as well.
	const isOfDify = code !== undefined && status >= 400 && status < 500 && !retryable;
	return isOfDify ? 'refused' : 'failed';
}

/** Whether the run has not ended. */
function isUnfinishedRecord({ status }: RunRecord, acrossPauses = false): boolean {
	return status === 'running' || status === 'scheduled' || (status === 'paused' && acrossPauses);
}

/** Whether Dify itself does not know the run: a proxy may answer 404 as well. */
export function isUnknownRun(error: unknown): boolean {
	return error instanceof ServerError && error.kind === 'runNotFound';
}

/** Remedy for a run that may go on after the wait has ended. */
export function followLater(runId: string): string {
	return `It may go on. The operation Follow (resource Run, Dify 1.14 and newer), or Get, tells how it ended: run ID ${runId}.`;
}

/** Error for a wait that reached its limit. */
export function stillRunning(client: DifyClient, runId: string, limitMs: number): ServerError {
	return difyFailure('timeout', {
		url: client.url(pathOf(runId)),
		message: 'The run in Dify does not end',
		meaning: `Dify has not reported the end of the run ${runId} for ${Math.round(limitMs / 1000)} s`,
		remedy: `${followLater(runId)} Before Dify 1.15 the record of a stopped run says "running" for ever: the logs of the app in Dify show that. A longer Total Limit waits longer.`,
		facts: { workflowRunId: runId },
		retryable: false,
	});
}
