import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import type { RunRoute } from './run-route';

/** A run to stop. */
export interface StopRequest {
	/** Task ID of the run, not its run ID. */
	taskId: string;
	/** The user who started the run. */
	user: string;
}

const STOP_TIMEOUT_MS = 5_000;

/** Requests the stop of a run. Dify returns "success" for any ID (docs/protocols/dify.md 2.2), so the effect is unknown. */
export async function sendStop(
	client: DifyClient,
	{ startPath, tasksPath = startPath }: RunRoute,
	{ taskId, user }: StopRequest,
): Promise<void> {
	await client.sendJson('POST', tasksPath + apiPath`/${taskId}/stop`, {
		json: { user },
		timeoutMs: STOP_TIMEOUT_MS,
		isIdempotent: true,
	});
}
