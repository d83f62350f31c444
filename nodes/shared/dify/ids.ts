import { optionalUuid, userOf, uuid } from '../../../lib/dify/ids';
import type { NodeParameters } from '../parameters';

/** The user of the item. @throws {ServerError} where there is none */
export function userIn(parameters: NodeParameters): string {
	return userOf(parameters.value('user'));
}

/** @throws {ServerError} where the field Conversation is empty or holds no ID */
export function conversationIdIn(parameters: NodeParameters): string {
	return uuid(parameters.value('conversationId'), 'conversation ID');
}

/** @throws {ServerError} where the field Message ID is empty or holds no ID */
export function messageIdIn(parameters: NodeParameters): string {
	return uuid(parameters.value('messageId'), 'message ID');
}

/** The ID in an optional field. */
export function optionalIdIn(
	parameters: NodeParameters,
	path: string,
	what: string,
): string | undefined {
	return optionalUuid(parameters.value(path), what);
}
