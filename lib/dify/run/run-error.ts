import type { ErrorContext } from '../../errors/create-error';
import type { ServerError } from '../../errors/server-error';
import { explainFailedRequest } from '../error-texts';
import type { RunFailure, RunResult, WorkflowNode } from '../types';
import { toErrorType } from '../error-types';
import { toReadableText } from '../readable-text';
import { getRunIds, toPartialDetails } from '../partial-result';
import { createMessageError } from '../message-error';

const NOT_A_RUN =
	'Dify rejected the request before a run started, so its logs show nothing. Correct the inputs in the node, or the form of the app.';

interface FailedRunResult extends RunResult {
	error: RunFailure;
}

/**
 * The error of a failed run, with its partial result.
 *
 * @param difyVersion as in the headers of the response
 */
export function createRunError(
	result: FailedRunResult,
	context: ErrorContext,
	difyVersion?: string,
): ServerError {
	const { error } = result;
	const node = error.cause === 'rejected' ? undefined : findFailedNode(result);
	const message = toReadableText(error.message, context.secrets).replace(/\.$/, '');
	const failedRequest = node && explainFailedRequest(node, message);
	const type = failedRequest === undefined ? toErrorType(error, error.status) : 'runFailed';
	const serverError = createMessageError({
		type,
		body: error,
		context,
		overrides: {
			status: error.status ?? 200,
			...toPartialDetails(result),
			...(node && { detail: `${message}. The node ${describeNode(node)} failed in Dify` }),
			facts: {
				difyVersion,
				...getRunIds(result),
				...(node && { failedNode: node.title ?? node.nodeId, failedNodeType: node.type }),
			},
			about: { isRunStart: true },
		},
	});
	if (failedRequest !== undefined) {
		return serverError.copyWith({ detail: serverError.detail, ...failedRequest });
	}
	return error.cause === 'rejected' && type === 'runFailed'
		? serverError.withSuggestion(NOT_A_RUN)
		: serverError;
}

/**
 * The node that ended the run. Earlier failures may have been handled, such as in an iteration that continues after
 * errors (docs/protocols/dify.md 12.1).
 */
function findFailedNode({ workflow, error }: RunResult) {
	const failedNodes = workflow?.nodes.filter(({ status }) => status === 'failed') ?? [];
	const message = error?.message ?? '';
	const quotedNode = failedNodes.find(
		(node) => node.error !== undefined && message.includes(node.error),
	);
	const isOutside = (node: WorkflowNode) => (node.iterationId ?? node.loopId) === undefined;
	return quotedNode ?? failedNodes.find(isOutside) ?? failedNodes[0];
}

function describeNode({ title, nodeId, id, type }: WorkflowNode) {
	return `"${title ?? nodeId ?? id}"${type === undefined ? '' : ` (${type})`}`;
}
