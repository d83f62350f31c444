import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { recordOf, messageOf } from '../../../lib/values';

/** What went wrong with one item, in an operation that takes all items together. */
export class ItemFailure extends Error {
	/** @param facts what stands in the item beside the error */
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
 * The item that stands for a failure. All of it is in the one field `error`: n8n sends such an item to the error
 * output, where there is one, and keeps what is in it. Of an item with an `error` beside its `json`, n8n would keep the
 * message only (n8n-core, workflow-execute.ts).
 */
export function failedItem(
	{ message, description, context }: NodeOperationError,
	itemIndex: number,
	facts: object = {},
): INodeExecutionData {
	return {
		json: { ...facts, error: { message, ...(description ? { description } : {}), ...recordOf(context.data) } },
		pairedItem: { item: itemIndex },
	} as INodeExecutionData;
}
