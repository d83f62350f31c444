import type { NodeHost } from '../../../lib/servers/execution-memory';

/** The context of a node outside of executions: each of its servers has a memory of its own. */
export const NO_EXECUTION: NodeHost = { helpers: {}, getExecutionId: () => undefined };

let executions = 0;

/** n8n's ID of a new execution. */
export function createExecutionId(): string {
	executions += 1;
	return String(executions);
}
