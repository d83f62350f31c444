import { asFailed, ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { difyFailure } from '../errors/failure';
import { finish } from '../events';
import { succeeded } from '../events/termination';
import { followRun, withWarning, type FollowOptions } from './follow';
import { stopRun, type LostRun, type RunRoute } from './run';
import { followLater, isUnknownRun } from './record';
import type { RunResult } from '../types';

/** Warning about a run whose stream was lost. */
export const RECOVERED_NOTE =
	'The stream of the run broke off. The node found the run again and waited for its end.';

/** Warning about a run that Dify reported as succeeded before its stream and its record were lost. */
const NO_CLOSE =
	'The stream broke off after Dify had called the run succeeded, and Dify has no record of it: token counts, sources and files may be missing.';

const unknownEnd = (runId: string) =>
	`Dify has no record of the run ${runId}, so nobody knows how it ended. What had arrived is in the details. The logs of the app in Dify may say more.`;

/**
 * The result of a run whose stream was lost: attaches again and polls until the run is over or a limit runs out
 * (docs/protocols/dify.md 2.4). Waits for an API that restarts: the run goes on in its worker.
 *
 * @returns undefined where the run has no ID
 * @throws {ServerError} with all that is known of the run, and its ID
 */
export async function recoverRun(
	client: DifyClient,
	route: RunRoute,
	user: string,
	lost: LostRun,
	options: FollowOptions,
): Promise<RunResult | undefined> {
	const { state, limits, sentAt } = lost;
	const { workflowRunId: runId } = state;
	if (runId === undefined) return undefined;
	client.concurrency.note(runId);
	const stop = async (taskId: string) => await stopRun(client, route, taskId, user);
	const { totalMs } = limits;
	const left = totalMs > 0 ? Math.max(1, totalMs - (performance.now() - sentAt.clock)) : 0;
	try {
		const following = { ...options, limits: { ...limits, totalMs: left }, state, stop };
		return withWarning(await followRun(client, runId, user, following), RECOVERED_NOTE);
	} catch (error) {
		if (isUnknownRun(error) && succeeded(state.workflowEnd?.status ?? ''))
			return withWarning(finish(Object.assign(state, { messageEnded: true }), 'closed'), NO_CLOSE);
		return await giveUp(asFailed(error).failed, lost, runId, stop, client.signal?.aborted === true);
	}
}

/** Gives up: stops the run where it was abandoned, and throws with all that is known of it. */
async function giveUp(
	failed: ServerError,
	{ state, failed: stream }: LostRun,
	runId: string,
	stop: (taskId: string) => Promise<boolean>,
	isCancelled: boolean,
): Promise<never> {
	const { taskId } = state;
	const isAbandoned = isCancelled || failed.kind === 'cancelled' || failed.kind === 'timeout';
	const told = failed.facts.stopRequested;
	const stopRequested =
		told === undefined && isAbandoned && taskId !== undefined ? await stop(taskId) : told;
	const facts = { ...stream.facts, ...failed.facts, stopRequested };
	const known = {
		partialText: state.text || undefined,
		partialReasoning: state.reasoning || undefined,
	};
	if (isCancelled || failed.kind === 'cancelled')
		throw difyFailure('cancelled', { url: stream.url, ...known, facts });
	// A failed lookup tells nothing: the stream's own error says that the run may have gone on.
	const remedy = isUnknownRun(failed) ? unknownEnd(runId) : followLater(runId);
	const error = isAbandoned || failed.result !== undefined ? failed : stream.withRemedy(remedy);
	throw error.withPartial({ text: state.text, reasoning: state.reasoning }).withFacts(facts);
}
