/** Errors of Dify as errors of a node. */
import type { INode, NodeOperationError } from 'n8n-workflow';
import { toErrorDetails, toNodeError } from '../../../lib/errors/node-error';
import { ServerError } from '../../../lib/errors/server-error';
import { omitUndefined } from '../../../lib/values/records';

/** n8n's error, with data for workflows: Dify's code, the status, the IDs, and the partial response. */
export function toDifyNodeError(node: INode, error: unknown): NodeOperationError {
	const nodeError = toNodeError(node, error);
	if (error instanceof ServerError) {
		const { partialText, httpStatus, type, ...details } = toErrorDetails(error);
		nodeError.context.data = {
			type,
			...omitUndefined({ status: httpStatus }),
			...details,
			...omitUndefined({ answer: partialText }),
		};
	}
	return nodeError;
}
