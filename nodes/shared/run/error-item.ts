import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';
import { isToolNode } from '../../../lib/errors/node-error';
import { asRecord } from '../../../lib/values/records';
import { stripTitle } from './panel-error';

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
