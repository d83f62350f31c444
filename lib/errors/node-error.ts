/** An error as n8n's errors, and as fields of an item. */
import type { JsonRecord } from '../values/records';
import type { INode, JsonObject } from 'n8n-workflow';
import { BaseError, NodeOperationError } from 'n8n-workflow';
import { toPlainText } from '../values/safe-text';
import { describeError } from './describe-error';
import { ServerError } from './server-error';
import { tell } from './tell';

/** The fields of an error for an error item or the error details: plain JSON, without any key. */
export function toErrorDetails({
	facts,
	type,
	code,
	retryable,
	url,
	status: httpStatus,
	serverText,
	partialText,
	partialReasoning,
	partialToolCalls,
}: ServerError): JsonRecord {
	const fields = { type, code, retryable, url, httpStatus, serverText };
	const details = { ...facts, ...fields, partialText, partialReasoning, partialToolCalls };
	return JSON.parse(JSON.stringify(details)) as JsonObject;
}

/**
 * Converts an error to n8n's own: a short title as message, the full text as description, and everything received in
 * the details.
 *
 * n8n replaces a message that contains a code such as ECONNREFUSED, or a host name with "eacces" in it, by a generic
 * sentence (docs/protocols/n8n.md 4.2), so the message is set again afterwards.
 *
 * The error has no `itemIndex`: n8n shows it behind the title and counts from 0, also for the first of one item and for a
 * sub-node, which does not know the item.
 */
export function toNodeError(node: INode, error: unknown): NodeOperationError {
	if (error instanceof NodeOperationError) return withDescription(error);
	if (!(error instanceof ServerError)) {
		const cause = error instanceof Error ? error : String(error);
		return withDescription(new NodeOperationError(node, cause));
	}
	const { title } = tell(error, 'owner');
	const nodeError = new NodeOperationError(node, title, { description: describeError(error) });
	nodeError.message = toPlainText(title);
	if (isToolNode(node)) nodeError.message = nodeError.description = toToolErrorText(error);
	nodeError.messages = [];
	nodeError.context.data = toErrorDetails(error);
	omitRepeatedCause(nodeError);
	if (error.partialText) nodeError.messages.push(`Received so far: ${error.partialText}`);
	return nodeError;
}

export function isToolNode({ type }: Pick<INode, 'type'>): boolean {
	return type.endsWith('Tool');
}

/**
 * The error of a sub-node with the title that a model may read; the panel has the whole text.
 *
 * @param reason - The error that became `nodeError`.
 */
export function withToolTitle(nodeError: NodeOperationError, reason: unknown): NodeOperationError {
	if (!(reason instanceof ServerError)) return nodeError;
	nodeError.context.descriptionTemplate = describeError(reason);
	nodeError.message = toToolErrorText(reason);
	return nodeError;
}

/** n8n passes message and description of a tool error to the model, which may repeat them to any user. */
function toToolErrorText(error: ServerError) {
	return describeError(error, '', 'model');
}

/**
 * An error of a sub-node that cannot be supplied (docs/protocols/n8n.md 4.2). n8n replaces any error by "Error in sub-node"
 * with the title alone, except one of the functionality `configuration-node`, which it passes on unchanged. The editor hides
 * the text of such an error only if it has the name of one of n8n's own classes, so this class has its own.
 */
export class SubNodeError extends NodeOperationError {
	override name = 'SubNodeError';

	constructor(node: INode, error: NodeOperationError) {
		const description = error.description ?? error.message;
		super(node, error.message, { description, functionality: 'configuration-node' });
		Object.assign(this, { message: error.message, messages: error.messages });
		this.context = error.context;
		omitRepeatedCause(this);
	}
}

/**
 * Removes the cause that n8n makes of a title. The log of n8n 2.41 contains an error and all its causes (n8n-core,
 * error-reporter.ts); an older one, whose errors have another base class, contains the cause instead of the error.
 */
export function omitRepeatedCause(error: NodeOperationError): void {
	if (error instanceof BaseError) error.cause = undefined;
}

/**
 * Fills an empty description with the message. A streamed chat shows only the description of a failed node (n8n-core,
 * workflow-execute.ts): without one, the failure would be silent.
 */
function withDescription(error: NodeOperationError) {
	error.description ||= error.message;
	return error;
}
