import type {
	IExecuteFunctions,
	INodeExecutionData,
	NodeOperationError,
	WorkflowExecuteMode,
} from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { toChatMessage } from '../../../lib/errors/describe-error';
import { ServerError } from '../../../lib/errors/server-error';
import { isToolNode } from '../../../lib/errors/node-error';

import { asRecord } from '../../../lib/values/records';
import { getErrorMessage } from '../../../lib/values/text';

/** The error of one item, in an operation that processes all items together. */
export class ItemError extends Error {
	/** @param facts - Further fields of the failed item. */
	constructor(
		readonly itemIndex: number,
		readonly reason: unknown,
		readonly facts: object = {},
	) {
		super(getErrorMessage(reason));
	}
}

/** What a call says about its run. */
interface ItemRun {
	context: Pick<IExecuteFunctions, 'continueOnFail'>;
	/** Aborts when the execution is stopped, or when another item has failed and the node with it. */
	signal: AbortSignal;
}

/** Why an item failed. */
interface ItemFailure {
	itemIndex: number;
	/** The error, of any type. An `ItemError` is kept. */
	reason: unknown;
	/** Further fields of the failed item. */
	facts?: object;
}

/**
 * The error of an item for the results.
 *
 * @throws an `ItemError`, unless the node continues on errors and is not stopped.
 */
export function toItemError(
	{ context, signal }: ItemRun,
	{ itemIndex, reason, facts }: ItemFailure,
): ItemError {
	const error = reason instanceof ItemError ? reason : new ItemError(itemIndex, reason, facts);
	if (context.continueOnFail() && !signal.aborted) return error;
	throw error;
}

/**
 * The output item of an error, with everything in the field `error`: n8n sends such an item to the error output, if
 * there is one, with the fields of the input. An item with further fields would stay on the output for results. From an
 * `error` next to `json`, n8n would keep only the message (n8n-core, workflow-execute.ts).
 *
 * @param facts - Further fields of the item. With an error output, they are fields of `error`.
 */
export function toErrorItem(
	{ message, description, context, node }: NodeOperationError,
	itemIndex: number,
	facts: object = {},
): INodeExecutionData {
	// The message is beside it.
	const text = stripTitle({ message, description });
	// A model reads the complete item of a tool.
	const details = isToolNode(node)
		? {}
		: { ...(text ? { description: text } : {}), ...asRecord(context.data) };
	const hasErrorOutput = node.onError === 'continueErrorOutput';
	const json = hasErrorOutput
		? { error: { message, ...details, ...facts } }
		: { ...facts, error: { message, ...details } };
	return {
		json,
		pairedItem: { item: itemIndex },
	} as INodeExecutionData;
}

type Context = Execution & Pick<IExecuteFunctions, 'getNode'>;

/**
 * The error as the panel shows it: n8n puts the title above the description, so the description does not begin with it.
 * A streamed chat shows the description alone (n8n-core, workflow-execute.ts), so the panel gets its own text, which
 * n8n prefers. In n8n 2.20, sub-nodes cannot detect streaming, so they assume it.
 *
 * @param reason - The error that became `error`.
 */
export function toPanelError(
	context: Context,
	error: NodeOperationError,
	reason: unknown,
): NodeOperationError {
	const panelText = stripTitle(error);
	if (isToolType(context.getNode().type) || context.isStreaming?.() === false) {
		error.description = panelText;
		return hideDetailsFromVisitors(context, error);
	}
	const { description } = error;
	hideDetailsFromVisitors(context, error);
	if (error.description === description && reason instanceof ServerError)
		error.description = toChatMessage(reason);
	error.context.descriptionTemplate = panelText;
	return error;
}

/** An error of a poll: the panel shows the title above the description. */
export function toPollError(error: NodeOperationError): NodeOperationError {
	error.description = stripTitle(error);
	return error;
}

/** The description without the title. */
export function stripTitle({
	message,
	description,
}: Pick<NodeOperationError, 'message' | 'description'>): string | null | undefined {
	if (!description?.startsWith(message)) return description;
	const remainder = description.slice(message.length);
	const stripped = remainder.replace(/^[.!?…:]["')”]? ?/, '');
	return stripped === remainder && remainder !== '' ? description : stripped;
}

/** Context of an execution. */
interface Execution {
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
