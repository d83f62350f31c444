/** What the visitors of a published chat may read of an error. */
import type { NodeOperationError, WorkflowExecuteMode } from 'n8n-workflow';

/** Context of an execution. */
export interface Execution {
	getMode(): WorkflowExecuteMode;
	getExecutionId(): string;
	isStreaming?(): boolean;
}

/** Modes in which n8n streams to visitors. */
const PUBLIC_MODES = new Set<WorkflowExecuteMode>(['webhook', 'chat', 'integrated']);

/**
 * The error message for visitors of a published chat: n8n streams only the description of a failed node to them
 * (n8n-core, workflow-execute.ts). Undefined in the editor, and if nothing is streamed. In n8n 2.20 sub-nodes cannot
 * detect streaming, so visitors are assumed.
 */
export function getVisitorMessage(context: Execution): string | undefined {
	try {
		const mode = context.getMode();
		if (mode === 'manual' || !(context.isStreaming?.() ?? PUBLIC_MODES.has(mode))) return undefined;
		return `The response could not be generated. The owner of this chat can see the reason in n8n, execution ${context.getExecutionId()}.`;
	} catch {
		return undefined;
	}
}

/**
 * The error without address, suggestion and server message, if visitors would read them. The whole text stays in the
 * error's details, for the owner of the execution; n8n does not store `messages`.
 */
export function hideDetailsFromVisitors(
	context: Execution,
	error: NodeOperationError,
): NodeOperationError {
	const message = getVisitorMessage(context);
	const { description } = error;
	if (message === undefined || !description || description === message) return error;
	error.context.data = { ...(error.context.data as object | undefined), description };
	error.description = message;
	return error;
}
