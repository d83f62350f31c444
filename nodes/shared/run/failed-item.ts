import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

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
	{ message, description, context }: NodeOperationError,
	itemIndex: number,
	facts: object = {},
): INodeExecutionData {
	return {
		json: {
			...facts,
			error: { message, ...(description ? { description } : {}), ...recordOf(context.data) },
		},
		pairedItem: { item: itemIndex },
	} as INodeExecutionData;
}
