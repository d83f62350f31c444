import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { isTool } from '../../../lib/errors/node-error';
import { recordOf, messageOf } from '../../../lib/values';

/** The failure of one item, in an operation that takes all items together. */
export class ItemFailure extends Error {
	/** @param facts further fields of the failed item */
	constructor(
		readonly itemIndex: number,
		readonly reason: unknown,
		readonly facts: object = {},
	) {
		super(messageOf(reason));
	}
}

/** @throws {ItemFailure} */
export function failItem(itemIndex: number, reason: unknown): never {
	throw new ItemFailure(itemIndex, reason);
}

/**
 * The output item of a failure, with everything in the field `error`: n8n sends such an item to the error output, if
 * there is one, unchanged. Of an `error` beside `json`, n8n would keep only the message (n8n-core,
 * workflow-execute.ts).
 */
export function failedItem(
	{ message, description, context, node }: NodeOperationError,
	itemIndex: number,
	facts: object = {},
): INodeExecutionData {
	// A model reads all of a tool's item.
	const details = isTool(node)
		? {}
		: { ...(description ? { description } : {}), ...recordOf(context.data) };
	return {
		json: {
			...facts,
			error: { message, ...details },
		},
		pairedItem: { item: itemIndex },
	} as INodeExecutionData;
}
