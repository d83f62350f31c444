import type { IDataObject, INode, INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { ServerError } from '../../../lib/errors/server-error';
import { errorDetails, toNodeError } from '../../../lib/errors/node-error';

/** The parts of a failure that a workflow can use: Dify's code, the status, the IDs, and the answer until then. */
export function failureDetails(error: unknown): IDataObject {
	if (!(error instanceof ServerError)) return {};
	const { partialText, httpStatus, kind, ...details } = errorDetails(error) as IDataObject;
	return {
		kind,
		...(httpStatus === undefined ? {} : { status: httpStatus }),
		...details,
		...(partialText === undefined ? {} : { answer: partialText }),
	};
}

/** n8n's own error, with the same details. */
export function difyNodeError(node: INode, error: unknown, itemIndex?: number): NodeOperationError {
	const nodeError = toNodeError(node, error, { itemIndex });
	if (error instanceof ServerError) nodeError.context.data = failureDetails(error);
	return nodeError;
}

/**
 * The item that stands for a failure. All of it is in the one field `error`: n8n sends such an item to the error
 * output, where there is one, and keeps what is in it. Of an item with an `error` beside its `json`, n8n would keep the
 * message only (n8n-core, workflow-execute.ts).
 */
export function errorItem(node: INode, error: unknown, itemIndex: number): INodeExecutionData {
	const { message, description } = difyNodeError(node, error, itemIndex);
	return {
		json: { error: { message, ...(description ? { description } : {}), ...failureDetails(error) } },
		pairedItem: { item: itemIndex },
	};
}
