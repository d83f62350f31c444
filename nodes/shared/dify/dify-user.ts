/** The Dify user on whose behalf a request is sent. */
import type { INodeProperties } from 'n8n-workflow';
import { resolveUser, toSessionUser } from '../../../lib/dify/default-user';
import { parseUser } from '../../../lib/dify/ids';
import { isUnset } from '../../../lib/values/records';
import type { NodeParameters } from '../parameters';
import { stringField } from '../field-builders';

export const DEFAULT_USER =
	'If empty: the session of the Chat Trigger, otherwise the "user" of the item, otherwise this workflow.';

export const SAME_USER = `so use the same value in all Dify nodes. ${DEFAULT_USER} Dify does not verify the value.`;

/** The user that owns the data in Dify. Default: see `readRawUser`. */
export const userField: INodeProperties = stringField('User', 'user', {
	placeholder: 'e.g. user-42',
	description: `The user who sends the request. Dify keeps the conversations, messages, files and ratings of different users apart, ${SAME_USER}`,
});

/**
 * The user of the item.
 *
 * @throws {ServerError} if there is none
 */
export function readUser(parameters: NodeParameters): string {
	return parseUser(readRawUser(parameters));
}

/** The unchecked user of the field. If empty, the default user. */
export function readRawUser(parameters: NodeParameters): unknown {
	const { sessionId, user: itemUser } = parameters.item();
	return resolveUser({
		entered: parameters.isUnset('user') ? undefined : { value: parameters.value('user') },
		sessionId,
		itemUser,
		workflowId: parameters.workflowId(),
	});
}

/** Whether the user is that of the chat session of the item. */
export function isSessionUser(parameters: NodeParameters): boolean {
	const { sessionId } = parameters.item();
	const user = toSessionUser(sessionId, parameters.workflowId());
	return !isUnset(sessionId) && readRawUser(parameters) === user;
}
