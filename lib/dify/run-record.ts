import { ServerError } from '../errors/server-error';
import { TRANSIENT_KINDS, type DifyClient } from './client';
import { difyFailure } from './failure';
import { uuid } from './ids';
import type { WorkflowRun } from './types';
import { finiteNumber, isRecord, nonEmptyText, parseJson, type JsonRecord } from '../values';

/** A run as Dify keeps it (`GET /workflows/run/:id`). */
export interface RunRecord extends Omit<WorkflowRun, 'exceptionsCount' | 'nodes' | 'agentLogs'> {
	runId: string;
	/** Dify's word: before 1.15 `running` also for ever, after a run was stopped (docs/protocols/dify.md 2.4). */
	status: string;
	/** Without the variables of Dify itself (`sys.…`). */
	inputs: unknown;
	/** An object; text where Dify stored something that is none. */
	outputs: unknown;
	/** As Dify sent it. */
	raw: JsonRecord;
}

/**
 * Reads a run's record. @returns undefined for the record of nulls with which Dify 1.12 answers an unknown ID
 */
export function readRecord(body: JsonRecord, parse: (json: string) => unknown = parseJson): RunRecord | undefined {
	const runId = nonEmptyText(body.id);
	const status = nonEmptyText(body.status);
	if (runId === undefined || status === undefined) return undefined;
	return {
		runId,
		workflowId: nonEmptyText(body.workflow_id),
		status,
		inputs: withoutSystem(valuesIn(body.inputs, parse)),
		outputs: valuesIn(body.outputs, parse),
		error: nonEmptyText(body.error),
		totalSteps: finiteNumber(body.total_steps),
		totalTokens: finiteNumber(body.total_tokens),
		createdAt: secondsIn(body.created_at),
		finishedAt: secondsIn(body.finished_at),
		elapsedTime: finiteNumber(body.elapsed_time),
		raw: body,
	};
}

/** Dify 1.12 sends values as JSON text; nothing at all after a failure. What cannot be read stays text. */
function valuesIn(value: unknown, parse: (json: string) => unknown): unknown {
	if (value === null || value === undefined || value === '') return {};
	if (typeof value !== 'string') return value;
	const parsed = parse(value);
	return parsed === null ? {} : (parsed ?? value);
}

function withoutSystem(inputs: unknown): unknown {
	if (!isRecord(inputs)) return inputs;
	return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith('sys.')));
}

/** Versions before 1.0 send the time in the words of a mail's header. */
function secondsIn(value: unknown): number | undefined {
	if (typeof value !== 'string') return finiteNumber(value);
	const time = Date.parse(value);
	return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

/** @throws {ServerError} of kind `invalidId`; Dify would fail with a 500 on it */
export function runIdOf(value: unknown): string {
	return uuid(value, 'workflow run ID');
}

function pathOf(runId: string): string {
	return `/workflows/run/${runId}`;
}

/** The record of a run; undefined where Dify 1.12 has none (yet). @throws {ServerError} */
export async function findRecord(client: DifyClient, runId: string): Promise<RunRecord | undefined> {
	return readRecord(await client.get(pathOf(runId)), (json) => client.parse(json));
}

/** The record of a run. @throws {ServerError} of kind `runNotFound` */
export async function getRecord(client: DifyClient, runId: string): Promise<RunRecord> {
	return (await findRecord(client, runId)) ?? missing(client, runId);
}

export function missing(client: DifyClient, runId: string): never {
	throw difyFailure('runNotFound', { url: client.url(pathOf(runId)), facts: { workflowRunId: runId } });
}

/** Pauses before the first polls, in milliseconds; the last one before all further ones. */
const POLL_PAUSES_MS = [2_000, 3_000, 5_000, 8_000, 10_000];

/** So long a run that was just started may be unknown. */
export const DELAY_MS = 10_000;

/** A record may stay `running` for ever, so nobody waits longer than this for one. */
export const MAX_WAIT_MS = 60 * 60_000;

export interface WaitOptions {
	/** Milliseconds; 0 = `MAX_WAIT_MS`. */
	limitMs?: number;
	/** A paused run is waited for, too. */
	acrossPauses?: boolean;
	/** Pauses between two polls in milliseconds. */
	pausesMs?: readonly number[];
}

/**
 * Asks for a run again and again until it is over. Before Dify 1.15 never for a run that was stopped: its record stays
 * `running`.
 *
 * @throws {ServerError} of kind `timeout` when the limit runs out, `runNotFound`, `cancelled`
 */
export async function waitForRecord(
	client: DifyClient,
	runId: string,
	{ limitMs = 0, acrossPauses = false, pausesMs = POLL_PAUSES_MS }: WaitOptions = {},
): Promise<RunRecord> {
	const begun = performance.now();
	const limit = limitMs > 0 ? Math.min(limitMs, MAX_WAIT_MS) : MAX_WAIT_MS;
	let isKnown = false;
	for (let polls = 0; ; polls++) {
		// Once the run was seen, an API that starts anew is waited for.
		const record = await findRecord(client, runId).catch((error: unknown) => {
			if (isKnown && isApiAway(error)) return undefined;
			throw error;
		});
		const passed = performance.now() - begun;
		if (record !== undefined && !isUnfinishedRecord(record, acrossPauses)) return record;
		isKnown ||= record !== undefined;
		if (!isKnown && passed >= DELAY_MS) missing(client, runId);
		if (passed >= limit) throw stillRunning(client, runId, limit);
		const pause = pausesMs[Math.min(polls, pausesMs.length - 1)] ?? 0;
		await client.pause(Math.min(pause, Math.max(0, limit - passed)), client.url(pathOf(runId)));
	}
}

const LOOK_LIMIT_MS = 5_000;

/**
 * A look at a run whose stream says nothing.
 *
 * @param onUnknown called where Dify has no such run
 * @returns its record once it is over; undefined also where nobody knows
 */
export async function endedRecord(
	client: DifyClient,
	runId: string,
	acrossPauses = false,
	onUnknown = () => {},
): Promise<RunRecord | undefined> {
	const asked = client.within(undefined).get(pathOf(runId), {}, { timeoutMs: LOOK_LIMIT_MS });
	const body = await asked.catch((error: unknown) => (isUnknownRun(error) ? {} : undefined));
	const record = body && readRecord(body, (json) => client.parse(json));
	if (body !== undefined && record === undefined) onUnknown();
	return record === undefined || isUnfinishedRecord(record, acrossPauses) ? undefined : record;
}

/** Whether something is still to come of a run. */
function isUnfinishedRecord({ status }: RunRecord, acrossPauses = false): boolean {
	return status === 'running' || status === 'scheduled' || (status === 'paused' && acrossPauses);
}

/** Whether the API of Dify starts anew, or a proxy does not reach it for a while; the run goes on in its worker. */
export function isApiAway(error: unknown): boolean {
	return error instanceof ServerError && (TRANSIENT_KINDS.has(error.kind) || error.kind === 'gateway');
}

/** Dify says so itself: a proxy that does not reach it answers 404 as well. */
export function isUnknownRun(error: unknown): boolean {
	return error instanceof ServerError && error.kind === 'runNotFound';
}

/** What to do about a run that may go on although nobody waits for it any longer. */
export function followLater(runId: string): string {
	return `It may go on. The operation Follow (resource Run, Dify 1.14 and newer), or Get, tells how it ended: run ID ${runId}.`;
}

/** The limit of whoever waits for a run ran out. */
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
