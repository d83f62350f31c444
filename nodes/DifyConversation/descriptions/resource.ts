import type { INodeProperties } from 'n8n-workflow';

export const resourceFields: INodeProperties[] = [
	{
		displayName: 'Resource',
		name: 'resource',
		type: 'options',
		noDataExpression: true,
		options: [
			{ name: 'Conversation', value: 'conversation' },
			{ name: 'Message', value: 'message' },
			{ name: 'Variable', value: 'variable' },
		],
		default: 'conversation',
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['conversation'] } },
		options: [
			{ name: 'Delete', value: 'delete', action: 'Delete a conversation' },
			{
				name: 'Get Many',
				value: 'getAll',
				action: 'Get many conversations',
				description: 'Conversations of a user that were made over the API',
			},
			{
				name: 'Rename',
				value: 'rename',
				action: 'Rename a conversation',
				description: 'Give it a name, or let Dify think of one',
			},
		],
		default: 'getAll',
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['message'] } },
		options: [
			{
				name: 'Get Many',
				value: 'getAll',
				action: 'Get many messages',
				description:
					'Messages of a conversation with question, answer, files and rating, oldest first. A limit gives the newest of them.',
			},
			{
				name: 'Get Suggested Questions',
				value: 'getSuggested',
				action: 'Get suggested questions',
				description: 'What the user might ask next. A model of the app thinks of them, which takes time and tokens.',
			},
		],
		default: 'getAll',
	},
	{
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: ['variable'] } },
		options: [
			{
				name: 'Get Many',
				value: 'getAll',
				action: 'Get many variables',
				description: 'Variables of a conversation with a chatflow; other apps have none',
			},
			{
				name: 'Update',
				value: 'update',
				action: 'Update a variable',
				description: 'Set a variable of a conversation with a chatflow',
			},
		],
		default: 'getAll',
	},
];
