import type { INodeProperties } from 'n8n-workflow';

import { conversationField, userField } from '../../shared/dify/fields';

export const messageFields: INodeProperties[] = [
	{
		displayName: 'Query',
		name: 'query',
		type: 'string',
		typeOptions: { rows: 4 },
		default: '={{ $json.chatInput }}',
		required: true,
		description: 'What to say to the app. It is sent as it is, with every character.',
	},
	userField(),
	{
		displayName: 'Conversation',
		name: 'conversation',
		type: 'options',
		options: [
			{
				name: 'Existing',
				value: 'byId',
				description: 'Go on with the conversation that is given. An empty ID starts a new one.',
			},
			{
				name: 'Latest of the User',
				value: 'latest',
				description:
					'Go on with the conversation in which the user wrote last, or start the first one. It is looked up in Dify.',
			},
			{ name: 'New', value: 'new', description: 'Start a new conversation with every item' },
		],
		default: 'new',
		description: 'Where the message belongs. For a chat with memory behind a Chat Trigger choose Latest of the User.',
	},
	conversationField({ displayOptions: { show: { conversation: ['byId'] } } }),
];
