import { NodeConnectionTypes, type WorkflowExecuteMode } from 'n8n-workflow';

import type { Priority, Waiting } from '../../lib/http/scheduler';
import { recordOf } from '../../lib/values';
import { isBlank } from './field-values';
import type { NodeParameters, ParameterSource } from './parameters';

type NodeUse = 'chatModel' | 'subNode' | 'action';

/** The part of a node's context that tells who waits. */
interface ExecutionSource extends Pick<ParameterSource, 'getInputData'> {
	getMode?(): WorkflowExecuteMode;
	getExecutionId?(): string | undefined;
}

/**
 * The class of a request for one item, by how the execution began. `webhook` are all triggers that a request starts,
 * `trigger` those that n8n starts itself: schedules, polling and queues. `integrated` is a sub-workflow.
 */
const BY_MODE: Readonly<Record<WorkflowExecuteMode, Priority>> = {
	manual: 'person',
	webhook: 'person',
	chat: 'person',
	integrated: 'agent',
	retry: 'agent',
	cli: 'agent',
	internal: 'agent',
	agent: 'agent',
	trigger: 'batch',
	error: 'batch',
	evaluation: 'batch',
};

/** How the requests of a node wait for a place. The table is in docs/shared-server.md. */
export function queueingOf(
	context: ExecutionSource,
	parameters: NodeParameters,
	use: NodeUse,
): Partial<Waiting> {
	const priority = parameters.once(chosenPriority) ?? automaticPriority(context, use);
	if (priority !== 'person') return { priority };
	return { priority, user: userOf(context, parameters) };
}

/** The class that the user chose; undefined: automatic. */
export function chosenPriority(parameters: NodeParameters): Priority | undefined {
	const choice = parameters.choice<Priority | 'auto'>('options.priority', 'auto');
	return choice === 'auto' ? undefined : choice;
}

function automaticPriority(context: ExecutionSource, use: NodeUse): Priority {
	if (itemsOf(context).length > 1) return 'batch';
	const mode = context.getMode?.() ?? 'internal';
	if (mode === 'trigger' && use === 'chatModel') return 'agent';
	return BY_MODE[mode] ?? 'agent';
}

/** Who waits: the user or session of the trace, the session of the chat, or this execution. */
function userOf(context: ExecutionSource, parameters: NodeParameters): string {
	const [item] = itemsOf(context);
	const trace = recordOf(parameters.value('options.trace'));
	const users = [trace.userId, trace.sessionId, item?.json.sessionId, context.getExecutionId?.()];
	return String(users.find((user) => !isBlank(user)) ?? '');
}

/** Input items; of a sub-node, those of its root node. */
function itemsOf(context: ExecutionSource) {
	// A sub-node has its own kind of connection as default.
	return context.getInputData?.(0, NodeConnectionTypes.Main) ?? [];
}
