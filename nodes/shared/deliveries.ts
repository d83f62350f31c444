import type { INodeExecutionData, IPollFunctions, IRun } from 'n8n-workflow';

import { LruCache } from '../../lib/lru-cache';
import { recordOf } from '../../lib/values';

type Progress = 'running' | 'succeeded' | 'failed';

/** Progress of the workflows that polling nodes of this process started, by delivery ID. */
const progress = LruCache.shared<Progress>({ maxEntries: 1000 });

/**
 * Repeats a delivery until the workflow that it started has succeeded. n8n reports the end of that workflow by a
 * promise, which may settle after the poll; but a node can change its stored data only during a poll. So the end is
 * kept in the process, and the next poll reads it.
 */
export const deliveries = {
	/** `undefined`: not delivered by this process. */
	progressOf: (id: string): Progress | undefined => progress.get(id),

	/** Starts the workflow with these items. `ids`: their delivery IDs. */
	give(context: IPollFunctions, ids: readonly string[], items: INodeExecutionData[]): void {
		const note = (state: Progress) => ids.forEach((id) => progress.set(id, state));
		const end = context.helpers.createDeferredPromise<IRun | undefined>();
		context.__emit([items], undefined, end);
		note('running');
		end.promise.then(
			(run) => note(hasSucceeded(run) ? 'succeeded' : 'failed'),
			// n8n rejects it when an execution is stopped: by a user, by a time limit, or to shut down.
			(error: unknown) => note(recordOf(error).reason === 'manual' ? 'succeeded' : 'failed'),
		);
	},
};

/** Whether the delivery is done; also where the workflow waits or was stopped by a user. */
function hasSucceeded(run: IRun | undefined): boolean {
	return run !== undefined && ['success', 'waiting', 'canceled'].includes(run.status);
}
