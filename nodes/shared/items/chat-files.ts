/** The files that came with a chat message. */
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { isToolType } from 'n8n-workflow';
import { asArray, asNonEmptyString, asRecord, isUnset } from '../../../lib/values/records';
import type { OperationCall } from './operation';
import { getBinaryProperties } from '../../../lib/n8n/binary';
import { getStartingChatTrigger } from '../../../lib/n8n/chat-trigger';

type ChatCall = Pick<OperationCall, 'context' | 'itemIndex' | 'source'>;

/** Names of the binary fields with the files of the chat message; empty if the item is not one. */
export function getChatFiles({ context, itemIndex, source }: ChatCall): string[] {
	const item = source.item();
	if (!isChatMessage(context, item)) return [];
	const names = getBinaryProperties(context, itemIndex);
	// The Chat Trigger lists its files. A node between may have added others, or removed the list.
	const listed = asArray(item.files).map((file) => asNonEmptyString(asRecord(file).binaryKey));
	return listed.every((name) => name === undefined)
		? names
		: names.filter((name) => listed.includes(name));
}

/**
 * Whether a binary field that the node names is missing because the chat message came without that file, which is no error.
 * In other items, a missing field is one, where the field is read.
 */
export function isMissingInMessage(
	{ context, itemIndex, source }: ChatCall,
	property: string,
): boolean {
	if (getBinaryProperties(context, itemIndex).includes(property)) return false;
	return isChatMessage(context, source.item());
}

/**
 * Whether an item is a message of a chat: n8n's chats send a session and an action, and a node between may have kept only
 * the session. An agent's tool gets the agent's words instead.
 */
function isChatMessage(context: IExecuteFunctions, { sessionId, action }: IDataObject): boolean {
	if (isUnset(sessionId) || isToolType(context.getNode().type)) return false;
	return action === 'sendMessage' || getStartingChatTrigger(context) !== undefined;
}
