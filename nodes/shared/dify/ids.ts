import { parseOptionalUuid, parseUser, parseUuid } from '../../../lib/dify/ids';
import { createLocalError } from '../../../lib/dify/errors';
import { isUnset, type NodeParameters } from '../parameters';

/** The user of the item. @throws {ServerError} if there is none */
export function readUser(parameters: NodeParameters): string {
	return parseUser(readRawUser(parameters));
}

/** The unchecked user of the field. If empty, the default user. */
export function readRawUser(parameters: NodeParameters): unknown {
	return parameters.isUnset('user') ? getDefaultUser(parameters) : parameters.value('user');
}

/** The chat session, otherwise the user of the item, otherwise one for the workflow. */
function getDefaultUser(parameters: NodeParameters): unknown {
	const { sessionId, user } = parameters.item();
	const workflowId = parameters.workflowId();
	return sessionId ?? user ?? (workflowId === undefined ? 'n8n' : `n8n-${workflowId}`);
}

/** @throws {ServerError} if the field Conversation is empty or not an ID */
export function readConversationId(parameters: NodeParameters): string {
	return parseUuid(parameters.value('conversationId'), 'conversation ID');
}

/** @throws {ServerError} if the field Message ID is empty or not an ID */
export function readMessageId(parameters: NodeParameters): string {
	const id = parameters.value('messageId');
	if (!isUnset(id)) return parseUuid(id, 'message ID');
	throw createLocalError(
		'invalidId',
		'The message ID is empty',
		'Add this node after Dify Chat Message, and drag the field messageId of its output to Message ID. If other nodes are in between, drag it from the Dify Chat Message node itself.',
	);
}

/** The ID in an optional field. */
export function readOptionalId(
	parameters: NodeParameters,
	path: string,
	label: string,
): string | undefined {
	return parseOptionalUuid(parameters.value(path), label);
}
