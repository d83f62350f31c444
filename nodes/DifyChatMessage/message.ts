import type { INodeProperties } from 'n8n-workflow';

import type { ConversationChoice } from '../../lib/dify/run/chat';
import { conversationField, userField } from '../shared/dify/fields';
import { optionalIdIn, userValue } from '../shared/dify/ids';
import { choiceField, choices, longTextField } from '../shared/field-kinds';
import type { NodeParameters } from '../shared/parameters';

export const messageFields: INodeProperties[] = [
	longTextField('Query', 'query', 4, {
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'What to say to the app. It is sent unchanged.',
	}),
	userField,
	choiceField('Conversation', 'conversation', 'new', {
		options: choices({
			byId: ['Existing', 'Continue the given conversation. An empty ID starts a new one.'],
			latest: [
				'Latest of the User',
				'Continue the conversation in which the user wrote last, or start the first one. It is looked up in Dify.',
			],
			new: ['New', 'Start a new conversation with every item'],
		}),
		description:
			'Where the message belongs. For a chat with memory behind a Chat Trigger choose Latest of the User.',
	}),
	conversationField({ displayOptions: { show: { conversation: ['byId'] } } }),
];

type Conversation = 'new' | 'latest' | 'byId';

/** The conversation that the item chooses. */
export function conversationIn(parameters: NodeParameters): ConversationChoice {
	const choice = parameters.choice<Conversation>('conversation');
	if (choice === 'latest') return { kind: 'latest' };
	const id =
		choice === 'byId' ? optionalIdIn(parameters, 'conversationId', 'conversation ID') : undefined;
	return id === undefined ? { kind: 'new' } : { kind: 'id', id };
}

/** Key of the item's conversation. Messages of one conversation are sent in order: the second must see the first. */
export function conversationKey(parameters: NodeParameters): string | undefined {
	const choice = parameters.value('conversation');
	if (choice === 'latest') return `latest ${String(userValue(parameters))}`;
	const id = choice === 'byId' ? parameters.value('conversationId') : undefined;
	return typeof id === 'string' && id.trim() !== '' ? id.trim().toLowerCase() : undefined;
}
