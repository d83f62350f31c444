/** What one execution of a workflow learns from the words of servers, and which failures it has seen last. */
import { keep, keepWithin } from '../kept';
import type { LruCache } from '../lru-cache';
import type { BodyChange } from './lessons';
import { RunningSearches } from './running-searches';

/** What the servers of an execution share. */
export class ExecutionMemory {
	/** Changes of bodies that a server required, by server, task and model. */
	readonly lessons: LruCache<readonly BodyChange[]> = keepWithin<readonly BodyChange[]>('lessons');
	/** Failures that a repetition did not change, by server, task and model. */
	readonly lastingFailures: LruCache<string> = keepWithin<string>('lastingFailures');
	/** Searches that run now, by server, task, model and refusal: nothing is kept of those that have ended. */
	readonly searches: RunningSearches = new RunningSearches();
}

/** What a node gives to a server: the parts of its context. */
export interface NodeHost {
	/** For n8n's egress filter and its traces. */
	helpers: object;
	/** Undefined in lists of the editor and in n8n's own agents. */
	getExecutionId(): string | undefined;
}

const executions = keep<ExecutionMemory>('executions');

/**
 * The memory of the execution that a node runs in. It is looked up at each use, so that it lasts ten minutes from then. Without
 * an ID, it belongs to the one who asked for it.
 */
export function openMemory(host: Pick<NodeHost, 'getExecutionId'>): () => ExecutionMemory {
	const id = host.getExecutionId() ?? '';
	const own = new ExecutionMemory();
	return id === '' ? () => own : () => executions.use(id, () => own);
}
