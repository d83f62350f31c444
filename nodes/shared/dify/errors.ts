import type { IDataObject, INode, NodeOperationError } from 'n8n-workflow';

import { ServerError } from '../../../lib/errors/server-error';
import { toErrorDetails, toNodeError, type NodeErrorOptions } from '../../../lib/errors/node-error';
import { omitUndefined } from '../../../lib/values';

/** Error data for workflows: Dify's code, the status, the IDs, and the partial response. */
function toErrorData(error: unknown): IDataObject {
	if (!(error instanceof ServerError)) return {};
	const { partialText, httpStatus, type, ...details } = toErrorDetails(error);
	return {
		type,
		...omitUndefined({ status: httpStatus }),
		...details,
		...omitUndefined({ answer: partialText }),
	};
}

/** n8n's error, with the same data. */
export function toDifyNodeError(
	node: INode,
	error: unknown,
	options: NodeErrorOptions,
): NodeOperationError {
	const nodeError = toNodeError(node, error, options);
	if (error instanceof ServerError) nodeError.context.data = toErrorData(error);
	return nodeError;
}
