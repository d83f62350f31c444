import { parseOptionalUuid, parseUser, parseUuid } from '../../../lib/dify/ids';
import { createLocalError } from '../../../lib/dify/errors';
import { isUnset, type NodeParameters } from '../parameters';

/** The user of the item. @throws {ServerError} where there is none */
export function readUser(parameters: NodeParameters): string {
	return parseUser(readRawUser(parameters));
}

/** The user of the item as it stands in the field, unchecked. An empty field stands for the default user. */
export function readRawUser(parameters: NodeParameters): unknown {
	return parameters.isUnset('user') ? defaultUser(parameters) : parameters.value('user');
}

/** The chat's session, else the user that a Dify node before put out, else one for the workflow. */
function defaultUser(parameters: NodeParameters): unknown {
	const { sessionId, user } = parameters.item();
	const workflowId = parameters.workflowId();
	return sessionId ?? user ?? (workflowId === undefined ? 'n8n' : `n8n-${workflowId}`);
}

/** @throws {ServerError} where the field Conversation is empty or holds no ID */
export function readConversationId(parameters: NodeParameters): string {
	return parseUuid(parameters.value('conversationId'), 'conversation ID');
}

/** @throws {ServerError} where the field Message ID is empty or holds no ID */
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
	what: string,
): string | undefined {
	return parseOptionalUuid(parameters.value(path), what);
}
