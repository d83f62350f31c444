import type { FailureKind } from '../errors/kinds';
import { asFailed, type ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import { difyFailure, refusedHere } from './failure';
import type { DifyFileRef } from './files';
import { followRun, recordedResult, tooOld } from './follow';
import { recordedRuns } from './run-logs';
import { findRecord, waitForRecord, type RunRecord, type WaitOptions } from './run-record';
import { RUN_ROUTES, startRun, stopRun, type LostRun, type RunOptions, type RunRoute } from './run';
import type { RunResult } from './types';
import { isRecord, nonEmptyText, type JsonRecord } from '../values';

export interface WorkflowRequest {
	inputs: JsonRecord;
	user: string;
	/** For `sys.files`; file variables of the form belong into `inputs`. */
	files?: DifyFileRef[];
	/** A published version. */
	workflowId?: string;
	traceId?: string;
}

export interface WorkflowOptions extends Omit<RunOptions, 'recover'> {
	/** Pauses between two looks at a lost run, in milliseconds. */
	polling?: Pick<WaitOptions, 'pausesMs'>;
}

/** What a user should hear of a run whose stream was lost. */
export const RECOVERED = {
	reattached: 'The stream of the run broke off. The node attached to the run again and read it to its end.',
	polled: 'The stream of the run broke off. The node asked Dify for the run until it had ended.',
};

/**
 * Runs a workflow and reads it to its end. A run whose stream is lost is attached to again, or asked for until it is
 * over; it is never started twice (docs/protocols/dify.md 2.4).
 *
 * @throws {ServerError} as `startRun`, and where a lost run was not found again
 */
export async function runWorkflow(
	client: DifyClient,
	{ inputs, user, files = [], workflowId, traceId }: WorkflowRequest,
	options: WorkflowOptions = {},
): Promise<RunResult> {
	const body = {
		inputs,
		...(files.length === 0 ? {} : { files }),
		...(traceId === undefined ? {} : { trace_id: traceId }),
	};
	return await startRun(client, routeOf(workflowId), body, user, {
		...options,
		recover: async (lost) => await recover(client, { inputs, user }, lost, options),
	});
}

/** A version of the workflow has a path of its own. @throws {ServerError} where it cannot be the ID of one */
function routeOf(workflowId: string | undefined): RunRoute {
	if (workflowId === undefined) return RUN_ROUTES.workflow;
	if (workflowId === '.' || workflowId === '..')
		throw refusedHere('workflowVersion', `The workflow ID is not valid: "${workflowId}"`);
	return { ...RUN_ROUTES.workflow, start: `/workflows/${encodeURIComponent(workflowId)}/run` };
}

interface Sent {
	inputs: JsonRecord;
	user: string;
}

async function recover(
	client: DifyClient,
	sent: Sent,
	lost: LostRun,
	options: WorkflowOptions,
): Promise<RunResult | undefined> {
	const { state } = lost;
	const runId = state.workflowRunId ?? (await idOfLost(client, sent, lost, options.signal));
	if (runId === undefined) return undefined;
	state.workflowRunId ??= runId;
	client.places.note(runId);
	const stop = async (taskId: string) => await stopRun(client, RUN_ROUTES.workflow, taskId, sent.user);
	const totalMs = leftOf(lost);
	const attached = await followRun(client, runId, sent.user, {
		...options,
		limits: { ...lost.limits, totalMs },
		state,
		stop,
	}).then(
		(result) => ({ result }),
		(error: unknown) => asFailed(error),
	);
	if ('result' in attached) return warned(attached.result, RECOVERED.reattached);
	const { failed } = attached;
	if (isAborted(options.signal)) return await giveUp(failed, lost, stop, 'cancelled');
	// A run that was stopped, or that failed, says so; only where it cannot be attached to it is asked for.
	if (!CANNOT_ATTACH.has(failed.kind)) return await giveUp(failed, lost, stop);
	try {
		const wait = { signal: options.signal, limitMs: leftOf(lost), ...options.polling };
		const record = await waitForRecord(client, runId, wait);
		return warned(recordedResult(client, state, record, lost.failed.url ?? ''), RECOVERED.polled);
	} catch (error) {
		const kind = isAborted(options.signal) ? 'cancelled' : undefined;
		return await giveUp(asFailed(error).failed, lost, stop, kind);
	}
}

const CANNOT_ATTACH: ReadonlySet<FailureKind> = new Set([
	'routeNotFound',
	'runNotFound',
	'notFound',
	'serverError',
	'gateway',
	'refused',
	'connectionLost',
	'closedBeforeAnswer',
]);

/** A function of its own, since it changes while something is waited for. */
function isAborted(signal: AbortSignal | undefined): boolean {
	return signal?.aborted === true;
}

/** Milliseconds that are left of the run's total limit; 0 without one. */
function leftOf({ limits: { totalMs }, sentAt }: LostRun): number {
	return totalMs > 0 ? Math.max(1, totalMs - (performance.now() - sentAt.clock)) : 0;
}

/** Nobody waits any longer: Dify is told so, and the error has all that is known of the run. */
async function giveUp(
	failed: ServerError,
	{ state, failed: stream }: LostRun,
	stop: (taskId: string) => Promise<boolean>,
	kind: FailureKind = failed.kind,
): Promise<never> {
	const { taskId } = state;
	const isGivenUp = kind === 'cancelled' || kind === 'timeout';
	const told = failed.facts.stopRequested;
	const stopRequested = told === undefined && isGivenUp && taskId !== undefined ? await stop(taskId) : told;
	const facts = { ...stream.facts, ...failed.facts, stopRequested };
	const known = { partialText: state.text || undefined, partialReasoning: state.reasoning || undefined };
	if (kind === 'cancelled') throw difyFailure('cancelled', { url: stream.url, ...known, facts });
	// What could not be asked is no answer: the stream's own error says that the run may have gone on.
	const error = isGivenUp || failed.result !== undefined ? failed : stream;
	throw error.withPartial({ text: state.text, reasoning: state.reasoning }).withFacts(facts);
}

function warned(result: RunResult, warning: string): RunResult {
	return { ...result, warnings: [...result.warnings, warning] };
}

/** So many milliseconds the clocks of n8n and Dify may differ. */
const CLOCK_MS = 2_000;

/**
 * A run that was lost before its first event is looked up: the only one of this user since then that has these inputs,
 * and that is no other run of this n8n.
 */
async function idOfLost(
	client: DifyClient,
	{ inputs, user }: Sent,
	{ sentAt }: LostRun,
	signal?: AbortSignal,
): Promise<string | undefined> {
	try {
		const after = new Date(sentAt.date - CLOCK_MS).toISOString();
		const rows = await recordedRuns(client, { user, after, limit: 5 }, signal);
		const ids = rows.flatMap((row) => (isRecord(row.workflow_run) ? (nonEmptyText(row.workflow_run.id) ?? []) : []));
		const candidates: string[] = [];
		for (const id of ids.filter((each) => !client.places.hasRun(each))) {
			const record = await findRecord(client, id, signal);
			if (record !== undefined && hasInputs(record, inputs)) candidates.push(id);
		}
		return candidates.length === 1 ? candidates[0] : undefined;
	} catch {
		return undefined;
	}
}

/** Files and defaults look different in the record, so only plain values are compared. */
function hasInputs({ inputs }: RunRecord, sent: JsonRecord): boolean {
	if (!isRecord(inputs)) return false;
	return Object.entries(sent).every(
		([name, value]) => typeof value === 'object' || !(name in inputs) || String(inputs[name]) === String(value),
	);
}

/**
 * Tells Dify to stop a run. Dify says "success" of any ID, so that is all that is known afterwards.
 *
 * @throws {ServerError}
 */
export async function requestStop(
	client: DifyClient,
	taskId: string,
	user: string,
	signal?: AbortSignal,
): Promise<void> {
	await client.send('POST', RUN_ROUTES.workflow.stop(taskId), { user }, { signal, idempotent: true });
}

const OR_GET = ' Until then, the operation Get with "Wait Until Finished" tells how a run ended.';

/** Follows a run that was started elsewhere. @throws {ServerError} as `followRun`, and where Dify is too old */
export async function follow(...[client, runId, user, options]: Parameters<typeof followRun>): Promise<RunResult> {
	try {
		return await followRun(client, runId, user, options);
	} catch (error) {
		throw tooOld(error, 'Following a run', OR_GET);
	}
}
