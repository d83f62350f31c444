import type { ErrorContext } from '../../errors/create-error';
import type { DifyErrorType } from '../../errors/error-types';
import type { ServerError } from '../../errors/server-error';
import type { RunFailure, RunResult, WorkflowNode } from '../types';
import { toErrorType } from '../error-types';
import { getRunIds, hasRunStarted, toPartialDetails } from '../partial-result';
import { createMessageError } from '../message-error';

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
	const type = getType(result, node);
	return createMessageError({
		type,
		body: error,
		context,
		overrides: {
			status: error.status ?? 200,
			...toPartialDetails(result),
			facts: {
				difyVersion,
				...getRunIds(result),
				...(node && { failedNode: node.title ?? node.nodeId, failedNodeType: node.type }),
			},
			about: {
				isRunStart: true,
				isChatMessage: context.url?.endsWith('/chat-messages'),
				isBeforeRun: hasStoredRun(result) ? undefined : true,
				failedNode: node && {
					name: node.title ?? node.nodeId ?? node.id,
					type: node.type,
				},
			},
		},
	});
}

/** A run of no steps has an ID while it is streamed, and Dify stores none of it (docs/protocols/dify.md 12.3). */
function hasStoredRun(result: FailedRunResult): boolean {
	return hasRunStarted(result) && (result.text !== '' || result.workflow?.totalSteps !== 0);
}

/** Nodes whose plugin may be a tool, which is no model provider. */
const HAS_TOOLS: ReadonlySet<string | undefined> = new Set(['tool', 'agent']);

/** The type of what Dify reports, and of the node that failed. */
function getType(result: FailedRunResult, node: WorkflowNode | undefined): DifyErrorType {
	const { error } = result;
	const type = toErrorType(error, { status: error.status });
	// Dify checks the values of a request before it starts a run.
	if (type === 'invalidParam' && hasRunStarted(result)) return 'runFailed';
	// Dify's worker rejects a value with status 500 and without a code (docs/protocols/dify.md 3.7).
	if (type === 'serverError' && error.code === undefined && !hasRunStarted(result))
		return 'runFailed';
	return HAS_TOOLS.has(node?.type) && type.startsWith('provider') ? 'runFailed' : type;
}

/**
 * The node that ended the run. Earlier failures may have been handled, such as in an iteration that continues after
 * errors (docs/protocols/dify.md 12.1). An iteration that ends with its node repeats the error of that node.
 */
function findFailedNode({ workflow, error }: RunResult) {
	const failedNodes = workflow?.nodes.filter(({ status }) => status === 'failed') ?? [];
	const message = error?.message ?? '';
	const quotedNodes = failedNodes.filter(
		(node) => node.error !== undefined && message.includes(node.error),
	);
	const outerNode = quotedNodes.find(isOutside) ?? failedNodes.find(isOutside);
	const innerNode = quotedNodes.find(
		(node) => outerNode !== undefined && getPlace(node) === outerNode.nodeId,
	);
	return innerNode ?? quotedNodes.find(isOutside) ?? quotedNodes[0] ?? outerNode ?? failedNodes[0];
}

/** The iteration or loop that a node is in. */
function getPlace({ iterationId, loopId }: WorkflowNode) {
	return iterationId ?? loopId;
}

function isOutside(node: WorkflowNode) {
	return getPlace(node) === undefined;
}
