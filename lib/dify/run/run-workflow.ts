/** Runs workflows, and stops them. */
import { explainAppTypeError } from '../app';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { parseUuid } from '../ids';
import type { RunResult } from '../types';
import type { RunRoute } from './run-route';
import { sendStop } from './send-stop';
import type { StopRequest } from './send-stop';
import type { RunRequest } from './start-run';
import { startRun } from './start-run';

const WORKFLOW: RunRoute = {
	operation: 'invoke_workflow',
	startPath: '/workflows/run',
	tasksPath: '/workflows/tasks',
	mode: 'workflow',
};

/**
 * Stops the run of a workflow.
 *
 * @throws {ServerError}
 */
export async function stopWorkflow(client: DifyClient, request: StopRequest): Promise<void> {
	await sendStop(client, WORKFLOW, request).catch(async (error: unknown) => {
		throw await explainAppTypeError(client, error, 'workflow');
	});
}

/**
 * Runs a workflow.
 *
 * @throws {ServerError} as `startRun` does
 */
export async function runWorkflow(client: DifyClient, request: RunRequest): Promise<RunResult> {
	const { workflowId } = request;
	const startPath =
		workflowId === undefined
			? WORKFLOW.startPath
			: apiPath`/workflows/${parseUuid(workflowId, 'workflow ID')}/run`;
	return await startRun(client, { route: { ...WORKFLOW, startPath }, request });
}
