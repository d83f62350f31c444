import type { NodeOperationError, WorkflowExecuteMode } from 'n8n-workflow';

/** What tells of an execution. */
interface Context {
	getMode(): WorkflowExecuteMode;
	getExecutionId(): string;
	isStreaming?(): boolean;
}

/** Modes in which n8n streams to somebody outside of it. */
const VISITED: ReadonlySet<WorkflowExecuteMode> = new Set(['webhook', 'chat', 'integrated']);

/**
 * What the visitors of a published chat read of a failure: n8n streams the description of a failed node to them and
 * nothing else (n8n-core, workflow-execute.ts). Undefined in the editor, and where nothing is streamed. n8n 2.20 does not
 * tell its sub-nodes whether it streams: there visitors may read it.
 */
export function toldToVisitors(context: Context): string | undefined {
	try {
		const mode = context.getMode();
		if (mode === 'manual' || !(context.isStreaming?.() ?? VISITED.has(mode))) return undefined;
		return `The answer could not be made. Whoever runs this chat can see why in n8n: execution ${context.getExecutionId()}.`;
	} catch {
		return undefined;
	}
}

/**
 * The error without its address, its advice and the server's own words where visitors would read them. The whole text
 * stays in the execution, for its owner: in the details of the error. n8n stores nothing of its `messages`.
 */
export function hiddenFromVisitors(context: Context, error: NodeOperationError): NodeOperationError {
	const told = toldToVisitors(context);
	const { description } = error;
	if (told === undefined || !description || description === told) return error;
	error.context.data = { ...(error.context.data as object | undefined), description };
	error.description = told;
	return error;
}
