import { throwAs } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { localError } from '../errors/failure';
import type { DifyFileRef } from '../files/files';
import { followRun } from './follow';
import { recordedRuns } from '../app/logs';
import { findRecord, type RunRecord } from './record';
import { RUN_ROUTES, startRun, type RunOptions, type RunRoute } from './run';
import { tooOld } from '../errors/too-old';
import type { RunResult } from '../types';
import { isRecord, nonEmptyText, optional, type JsonRecord } from '../../values';

export interface WorkflowRequest {
	inputs: JsonRecord;
	user: string;
	/** For `sys.files`; file variables of the form belong into `inputs`. */
	files?: DifyFileRef[];
	/** A published version. */
	workflowId?: string;
	traceId?: string;
}

export type WorkflowOptions = Omit<RunOptions, 'recovery' | 'findId' | 'onlyConversation'>;

/**
 * Runs a workflow and reads it to its end. If the stream is lost, attaches to the run again or polls it until it is
 * over; it is never started twice (docs/protocols/dify.md 2.4).
 *
 * @throws {ServerError} as `startRun`, and where a lost run could not be recovered
 */
export async function runWorkflow(
	client: DifyClient,
	{ inputs, user, files = [], workflowId, traceId }: WorkflowRequest,
	options: WorkflowOptions = {},
): Promise<RunResult> {
	const body = {
		inputs,
		...(files.length === 0 ? {} : { files }),
		...optional({ trace_id: traceId }),
	};
	return await startRun(client, routeOf(workflowId), body, user, {
		...options,
		recovery: 'attachOrPoll',
		findId: async (sentAt) => await idOfLost(client, { inputs, user }, sentAt),
	});
}

/** Route of a workflow version; each has its own path. @throws {ServerError} for an impossible ID */
function routeOf(workflowId: string | undefined): RunRoute {
	if (workflowId === undefined) return RUN_ROUTES.workflow;
	if (workflowId === '.' || workflowId === '..')
		throw localError('workflowVersion', `The workflow ID is not valid: "${workflowId}"`);
	return { ...RUN_ROUTES.workflow, start: `/workflows/${encodeURIComponent(workflowId)}/run` };
}

/** Milliseconds by which the clocks of n8n and Dify may differ. */
const CLOCK_MS = 2_000;

/**
 * ID of a run that was lost before its first event: the only newer run of this user with these inputs that is not
 * another run of this n8n.
 */
async function idOfLost(
	client: DifyClient,
	{ inputs, user }: WorkflowRequest,
	sentAt: Date,
): Promise<string | undefined> {
	try {
		const after = new Date(sentAt.getTime() - CLOCK_MS).toISOString();
		const rows = await recordedRuns(client, { user, after, limit: 5 });
		const ids = rows.flatMap((row) =>
			isRecord(row.workflow_run) ? (nonEmptyText(row.workflow_run.id) ?? []) : [],
		);
		const candidates: string[] = [];
		for (const id of ids.filter((each) => !client.concurrency.hasRun(each))) {
			const record = await findRecord(client, id);
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
		([name, value]) =>
			typeof value === 'object' || !(name in inputs) || String(inputs[name]) === String(value),
	);
}

const OR_GET = ' Until then, the operation Get with "Wait Until Finished" tells how a run ended.';

/** Follows a run that was started elsewhere. @throws {ServerError} as `followRun`, and where Dify is too old */
export async function follow(
	...[client, runId, user, options]: Parameters<typeof followRun>
): Promise<RunResult> {
	const following = followRun(client, runId, user, options);
	return await following.catch(throwAs((error) => tooOld(error, 'Following a run', OR_GET)));
}
