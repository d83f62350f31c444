import { NodeConnectionTypes, type WorkflowExecuteMode } from 'n8n-workflow';

import type { Priority } from '../../lib/http/scheduler';
import type { NodeParameters, ParameterSource } from './parameters';

/** The part of a node's context that tells who waits. */
interface ExecutionSource extends Pick<ParameterSource, 'getInputData'> {
	getMode?(): WorkflowExecuteMode;
}

/** Executions that n8n starts itself: schedules, polling and queues, error workflows, evaluations. */
const NOBODY_WAITS: ReadonlySet<WorkflowExecuteMode> = new Set(['trigger', 'error', 'evaluation']);

/** The class of a node's requests in the queue. The table is in docs/operations.md. */
export function priorityOf(context: ExecutionSource, parameters: NodeParameters): Priority {
	return parameters.once(chosenPriority) ?? automaticPriority(context);
}

/** The class that the user chose; undefined: automatic. */
export function chosenPriority(parameters: NodeParameters): Priority | undefined {
	const choice = parameters.choice<Priority | 'auto'>('options.priority', 'auto');
	return choice === 'auto' ? undefined : choice;
}

function automaticPriority(context: ExecutionSource): Priority {
	// A sub-node has its own kind of connection as default.
	const items = context.getInputData?.(0, NodeConnectionTypes.Main) ?? [];
	const isStartedByN8n = NOBODY_WAITS.has(context.getMode?.() ?? 'internal');
	return items.length > 1 || isStartedByN8n ? 'batch' : 'person';
}
