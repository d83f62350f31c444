import type { DifyClient } from '../client';
import type { RunResult } from '../types';
import type { RunLimits } from './limits';
import type { Recovery } from './observation';
import { observeRun, type RunListeners } from './observe';

interface FollowOptions extends RunListeners {
	limits?: Partial<RunLimits>;
	/** Default: `attach`. The record of a run counts as its end only where the run is the caller's own. */
	recovery?: Recovery;
}

/**
 * Attaches to a run that was started before, and waits for its end: Dify replays past events, then sends new ones
 * (docs/protocols/dify.md 2.4). The run goes on if it is given up.
 *
 * @returns a run that succeeded, paused, or was stopped
 * @throws {ServerError} `runNotFound` for another user's run, and as `startRun`
 */
export async function followRun(
	client: DifyClient,
	runId: string,
	user: string,
	{ recovery = 'attach', ...options }: FollowOptions = {},
): Promise<RunResult> {
	return await observeRun(client, {
		...options,
		plan: { begin: 'attach', recovery },
		runId,
		user,
	});
}
