import type { INodeProperties } from 'n8n-workflow';

import { pagingFields, userField } from '../../shared/dify/fields';

const ONE_MESSAGE = { show: { operation: ['rate', 'revoke'] } };

export const feedbackFields: INodeProperties[] = [
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		options: [
			{
				name: 'Get Many',
				value: 'getAll',
				action: 'Get many ratings',
				description: 'All feedback of the app: of its users, and of your team in Dify',
			},
			{
				name: 'Rate',
				value: 'rate',
				action: 'Rate a message',
				description: 'Like or dislike an answer, with or without a text',
			},
			{
				name: 'Revoke',
				value: 'revoke',
				action: 'Revoke a rating',
				description: 'Take the rating of an answer back, with its text',
			},
		],
		default: 'rate',
	},
	{
		displayName: 'Message ID',
		name: 'messageId',
		type: 'string',
		default: '={{ $json.messageId }}',
		required: true,
		displayOptions: ONE_MESSAGE,
		placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
		description: 'ID of the answer, as Dify Chat Message gives it. Not the ID of the conversation or the task.',
	},
	userField(ONE_MESSAGE),
	{
		displayName: 'Rating',
		name: 'rating',
		type: 'options',
		options: [
			{ name: 'Dislike', value: 'dislike' },
			{ name: 'Like', value: 'like' },
			{ name: 'None', value: 'none', description: 'Takes the rating back, as Revoke does' },
		],
		default: 'like',
		displayOptions: { show: { operation: ['rate'] } },
		description:
			'An expression must give like, dislike or none. Each message has one rating of its user: a new one replaces it.',
	},
	{
		displayName: 'Text',
		name: 'content',
		type: 'string',
		typeOptions: { rows: 2 },
		default: '',
		displayOptions: { show: { operation: ['rate'] } },
		description: 'Why. Without a text, that of an earlier rating is kept; Dify alone would erase it.',
	},
	...pagingFields({ show: { operation: ['getAll'] } }),
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: ONE_MESSAGE,
		options: [
			{
				displayName: 'Conversation ID',
				name: 'conversationId',
				type: 'string',
				default: '',
				displayOptions: { show: { '/operation': ['rate'] } },
				description:
					'Makes it faster to keep an earlier text: without it, the whole feedback of the app is searched when no text is given',
			},
			{
				displayName: 'Earlier Text',
				name: 'earlierText',
				type: 'options',
				options: [
					{ name: 'Erase', value: 'erase', description: 'What Dify does by itself; saves the search' },
					{ name: 'Keep', value: 'keep', description: 'Looks for it in the feedback of the app and sends it again' },
				],
				default: 'keep',
				displayOptions: { show: { '/operation': ['rate'] } },
				description: 'What happens to the text of an earlier rating when no text is given',
			},
			{
				displayName: 'Ignore If Not Rated',
				name: 'ignoreNotRated',
				type: 'boolean',
				default: true,
				description:
					'Whether taking back a rating that does not exist is fine. The item then has "alreadySo". Without this option it is an error, as in Dify.',
			},
		],
	},
];
