import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';
import { isToolNode } from '../../../lib/errors/node-error';
import { asRecord, omitUndefined } from '../../../lib/values/records';
import { stripTitle } from '../../../lib/n8n/shown-error';
import { getOwn } from '../../../lib/values/own-properties';

/** What is known of the item of an error. */
interface ErrorItemOptions {
	/** Of the failed input item. */
	itemIndex: number;
	/** Further fields of the item. With an error output, they are fields of `error`. */
	facts?: object;
	/** The only sentence that visitors may read, if they may see the item. A model, not a visitor, reads that of a tool. */
	visitorMessage?: string;
}

/**
 * Fields of an error that visitors may see: facts of the node, IDs of their conversation, and what the model had written.
 */
const VISITOR_FIELDS = [
	'type',
	'retryable',
	'status',
	'httpStatus',
	'conversationId',
	'messageId',
	'taskId',
	'workflowRunId',
	'partialText',
	'answer',
];

/**
 * The output item of an error, with everything in the field `error`: n8n sends such an item to the error output, if
 * there is one, with the fields of the input. An item with further fields would stay on the output for results. From an
 * `error` next to `json`, n8n would keep only the message (n8n-core, workflow-execute.ts). Without an error output, it has
 * the field `message` for visitors, which n8n's chats show.
 */
export function toErrorItem(
	nodeError: NodeOperationError,
	{ itemIndex, facts = {}, visitorMessage }: ErrorItemOptions,
): INodeExecutionData {
	const { node } = nodeError;
	const message = isToolNode(node) ? undefined : visitorMessage;
	const shown = omitUndefined({ message });
	const error =
		message === undefined ? toOwnerError(nodeError) : toVisitorError(nodeError, message);
	const hasErrorOutput = node.onError === 'continueErrorOutput';
	const json = hasErrorOutput ? { error: { ...error, ...facts } } : { ...facts, error, ...shown };
	return { json, pairedItem: { item: itemIndex } } as INodeExecutionData;
}

function toOwnerError({ message, description, context, node }: NodeOperationError) {
	// A model reads the complete item of a tool.
	if (isToolNode(node)) return { message };
	// The message is beside it.
	const text = stripTitle({ message, description });
	return { message, ...(text ? { description: text } : {}), ...asRecord(context.data) };
}

function toVisitorError({ context }: NodeOperationError, message: string) {
	const data = asRecord(context.data);
	const names = VISITOR_FIELDS.filter((name) => Object.hasOwn(data, name));
	return { message, ...Object.fromEntries(names.map((name) => [name, getOwn(data, name)])) };
}
