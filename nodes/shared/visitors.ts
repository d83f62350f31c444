import type { NodeOperationError, WorkflowExecuteMode } from 'n8n-workflow';

/** Context of an execution. */
interface Context {
	getMode(): WorkflowExecuteMode;
	getExecutionId(): string;
	isStreaming?(): boolean;
}

/** Modes in which n8n streams to somebody outside. */
const VISITED: ReadonlySet<WorkflowExecuteMode> = new Set(['webhook', 'chat', 'integrated']);

/**
 * The text of a failure for visitors of a published chat: n8n streams only the description of a failed node to them
 * (n8n-core, workflow-execute.ts). Undefined in the editor, and where nothing is streamed. n8n 2.20 does not tell
 * sub-nodes whether it streams, so visitors are assumed.
 */
export function visitorMessage(context: Context): string | undefined {
	try {
		const mode = context.getMode();
		if (mode === 'manual' || !(context.isStreaming?.() ?? VISITED.has(mode))) return undefined;
		return `The answer could not be made. Whoever runs this chat can see why in n8n: execution ${context.getExecutionId()}.`;
	} catch {
		return undefined;
	}
}

/**
 * The error without address, advice and the server's own words, where visitors would read them. The whole text stays in
 * the error's details, for the owner of the execution; n8n does not store `messages`.
 */
export function withoutDetailsForVisitors(
	context: Context,
	error: NodeOperationError,
): NodeOperationError {
	const message = visitorMessage(context);
	const { description } = error;
	if (message === undefined || !description || description === message) return error;
	error.context.data = { ...(error.context.data as object | undefined), description };
	error.description = message;
	return error;
}
