import { type ServerError, throwAs } from '../../errors/server-error';
import { pathSegment } from '../../http/path-segment';
import type { DifyClient } from '../client';
import {
	RUN_ROUTES,
	runBody,
	startRun,
	type RunOptions,
	type RunRequest,
	type RunRoute,
} from './run';
import type { RunResult } from '../types';

export interface WorkflowRequest extends RunRequest {
	/** A published version. */
	workflowId?: string;
}

export type WorkflowOptions = Omit<RunOptions, 'recovery'>;

/**
 * Runs a workflow and reads it to its end. If the stream is lost, attaches to the run again or polls it until it is
 * over; it is never started twice (docs/protocols/dify.md 2.4).
 *
 * @throws {ServerError} as `startRun`, and where a lost run could not be recovered
 */
export async function runWorkflow(
	client: DifyClient,
	request: WorkflowRequest,
	options: WorkflowOptions = {},
): Promise<RunResult> {
	const { user, workflowId } = request;
	const running = startRun(client, routeOf(workflowId), runBody(request), user, {
		...options,
		recovery: 'attachOrPoll',
	});
	return await running.catch(throwAs(withoutRunId));
}

/** Where the stream broke before its first event, only the list of runs shows what became of the run. */
function withoutRunId(error: ServerError): ServerError {
	if (error.kind !== 'streamEndedEarly' || error.facts.workflowRunId !== undefined) return error;
	return error.withRemedy(
		'The run may go on, and Dify had not told its ID yet: Get Many (Dify Workflow, resource Run) lists the runs. If it happens often, check the time limits of proxies between n8n and Dify.',
	);
}

/** Route of a workflow version; each has its own path. @throws {ServerError} for an impossible ID */
function routeOf(workflowId: string | undefined): RunRoute {
	if (workflowId === undefined) return RUN_ROUTES.workflow;
	return { ...RUN_ROUTES.workflow, start: `/workflows/${pathSegment(workflowId)}/run` };
}
