import type { INodeExecutionData, IPollFunctions, IRun } from 'n8n-workflow';

import { LruCache } from '../../lib/lru-cache';

type Progress = 'running' | 'succeeded' | 'failed';

/** What became of the workflows that polling nodes of this process started, by the ID of what they were given. */
const progress = new LruCache<Progress>({ maxEntries: 1000 });

/**
 * Hands out what a polling node has found until the workflow that it started has succeeded. n8n tells a polling node
 * the end of that workflow only by a promise, which may settle after the poll; and only during a poll may the node
 * change what n8n stores for it. So the end is remembered in the process, and the next poll reads it. After a restart
 * nothing is known of a delivery, so it is given again.
 */
export const deliveries = {
	/** `undefined`: never given by this process. */
	progressOf: (id: string): Progress | undefined => progress.get(id),

	/** Starts the workflow with these items. `ids`: what they stand for. */
	give(context: IPollFunctions, ids: readonly string[], items: INodeExecutionData[]): void {
		const done = context.helpers.createDeferredPromise<IRun | undefined>();
		context.__emit([items], undefined, done);
		note(ids, 'running');
		done.promise.then(
			(run) => note(ids, hasSucceeded(run) ? 'succeeded' : 'failed'),
			() => note(ids, 'failed'),
		);
	},
};

/** A workflow that waits, or that a user stopped, has been given what there was. */
function hasSucceeded(run: IRun | undefined): boolean {
	return run !== undefined && ['success', 'waiting', 'canceled'].includes(run.status);
}

function note(ids: readonly string[], state: Progress): void {
	for (const id of ids) progress.set(id, state);
}
