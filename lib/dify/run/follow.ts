import type { DifyClient } from '../client';
import type { RunResult } from '../types';
import type { RunLimits } from './limits';
import { observeRun, type RunListeners } from './observe';

export interface FollowOptions extends RunListeners {
	limits?: Partial<RunLimits>;
	/** Tokens of forms that were just answered: a pause that shows only them is an old one. */
	answered?: ReadonlySet<string>;
	/**
	 * The run is the caller's own, so its record counts also where attaching is impossible (Dify before 1.14): polled
	 * until the run is over, or read once.
	 */
	record?: 'wait' | 'once';
}

/**
 * Attaches to a run that was started before, and waits for its end: Dify 1.14 and later replay past events, then send
 * new ones (docs/protocols/dify.md 2.4). The run goes on if it is given up.
 *
 * @returns a run that succeeded, paused, or was stopped
 * @throws {ServerError} `routeNotFound` where Dify is too old, `runNotFound` for another user's run, and as `startRun`
 */
export async function followRun(
	client: DifyClient,
	runId: string,
	user: string,
	{ answered, record, ...options }: FollowOptions = {},
): Promise<RunResult> {
	return await observeRun(client, {
		...options,
		plan: { begin: 'attach', recovers: true, record, answeredForms: answered },
		runId,
		user,
	});
}
