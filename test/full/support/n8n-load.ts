/** What a workflow costs n8n, measured from outside of its process. */
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { N8nServer } from '../../e2e/support/playground';

/** What n8n spent while a workflow ran. */
export interface N8nLoad {
	/** CPU time of n8n's main thread while one question for its health waited: the longest piece of work. Milliseconds. */
	longestPieceMs: number;
	/** The longest wait for an answer to `/healthz/readiness`, without the time that other programs took. Milliseconds. */
	longestWaitMs: number;
	/** CPU time of all threads together. Milliseconds. */
	cpuMs: number;
	/** Most memory of the process, above that at the start. Megabytes. */
	memoryMb: number;
	/** Milliseconds. */
	elapsedMs: number;
}

/** Measures n8n until `end` is called. */
export async function watchLoad({
	service: { pid },
	url,
}: N8nServer): Promise<{ end(): Promise<N8nLoad> }> {
	const watcher = new Worker(path.join(__dirname, 'watch-n8n.cjs'), { workerData: { pid, url } });
	await once(watcher, 'message');
	return {
		end: async () => {
			watcher.postMessage('end');
			const [load] = (await once(watcher, 'message')) as [N8nLoad];
			return load;
		},
	};
}
