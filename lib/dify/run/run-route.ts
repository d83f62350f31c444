import type { RequestAttributes } from '../../tracing/attributes';
import type { DifyAppMode } from '../types';

/** Routes that start and stop runs of an app type. */
export interface RunRoute {
	/** Name of the operation in traces. */
	operation: RequestAttributes['operation'];
	startPath: string;
	/** Path before the task ID. Default: `startPath`. */
	tasksPath?: string;
	/** App mode of this route, for errors. */
	mode: DifyAppMode;
}
