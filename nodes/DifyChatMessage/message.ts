import type { INodeProperties } from 'n8n-workflow';

import type { ConversationChoice } from '../../lib/dify/run/start-run';
import { conversationField, userField } from '../shared/dify/fields';
import { tryOrUndefined } from '../../lib/values';
import { readOptionalId, readRawUser } from '../shared/dify/ids';
import { choiceField, toOptions, longTextField } from '../shared/field-builders';
import { isUnset, type NodeParameters } from '../shared/parameters';

export const messageFields: INodeProperties[] = [
	longTextField('Query', 'query', 4, {
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'The message to send to the app. Sent unchanged.',
	}),
	userField,
	choiceField('Conversation', 'conversation', 'auto', {
		options: toOptions({
			auto: [
				'Automatic',
				'With a Chat Trigger, one conversation per chat session, unless User names another user. Otherwise a new conversation.',
			],
			byId: [
				'Existing',
				'Continue the given conversation. If the ID is empty, a new one is started.',
			],
			latest: [
				'Latest of User',
				"Continue the user's most recent conversation, or start the first one. Dify looks it up.",
			],
			new: ['New', 'Start a new conversation for each item'],
		}),
		description:
			'Which conversation the message belongs to. Dify stores the history; n8n stores nothing.',
	}),
	conversationField({ displayOptions: { show: { conversation: ['byId'] } } }),
];

type Conversation = 'auto' | 'new' | 'latest' | 'byId';

/** Automatic is the latest conversation of the chat session, which is a separate user in Dify. */
function readConversationMode(parameters: NodeParameters): Conversation {
	const choice = parameters.choice<Conversation>('conversation');
	if (choice !== 'auto') return choice;
	const { sessionId } = parameters.item();
	return !isUnset(sessionId) && readRawUser(parameters) === sessionId ? 'latest' : 'new';
}

/** The conversation of the item. */
export function readConversation(parameters: NodeParameters): ConversationChoice {
	const choice = readConversationMode(parameters);
	if (choice === 'latest') return { type: 'latest' };
	const id =
		choice === 'byId' ? readOptionalId(parameters, 'conversationId', 'conversation ID') : undefined;
	return id === undefined ? { type: 'new' } : { type: 'id', id };
}

/** Key of the item's conversation. Messages of one conversation are sent in order. */
export function getConversationKey(parameters: NodeParameters): string | undefined {
	const choice = tryOrUndefined(() => readConversationMode(parameters));
	if (choice === 'latest') return `latest ${String(readRawUser(parameters))}`;
	const id = choice === 'byId' ? parameters.value('conversationId') : undefined;
	return typeof id === 'string' && id.trim() !== '' ? id.trim().toLowerCase() : undefined;
}
