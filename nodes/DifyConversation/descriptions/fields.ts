import type { INodeProperties } from 'n8n-workflow';

import { conversationField, pagingFields, userField } from '../../shared/dify/fields';

const RENAME = { resource: ['conversation'], operation: ['rename'] };
const UPDATE = { resource: ['variable'], operation: ['update'] };

export const conversationFields: INodeProperties[] = [
	userField(),
	conversationField({
		required: true,
		displayOptions: { show: { resource: ['conversation'], operation: ['delete', 'rename'] } },
	}),
	conversationField({
		required: true,
		displayOptions: { show: { resource: ['message', 'variable'], operation: ['getAll', 'update'] } },
	}),
	{
		displayName: 'Let Dify Choose the Name',
		name: 'autoGenerate',
		type: 'boolean',
		default: false,
		displayOptions: { show: RENAME },
		description: 'Whether a model thinks of a name from the messages of the conversation',
	},
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		required: true,
		displayOptions: { show: { ...RENAME, autoGenerate: [false] } },
	},
	{
		displayName: 'Message ID',
		name: 'messageId',
		type: 'string',
		default: '={{ $json.messageId }}',
		required: true,
		displayOptions: { show: { resource: ['message'], operation: ['getSuggested'] } },
		placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
		description: 'ID of the answer after which the user might ask on',
	},
	{
		displayName: 'Variable',
		name: 'variableId',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: UPDATE },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a variable…',
				typeOptions: { searchListMethod: 'searchVariables', searchable: true },
			},
			{ displayName: 'By Name', name: 'name', type: 'string', placeholder: 'e.g. language' },
			{ displayName: 'By ID', name: 'id', type: 'string', placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276' },
		],
	},
	{
		displayName: 'Value',
		name: 'value',
		type: 'string',
		default: '',
		displayOptions: { show: UPDATE },
		description: 'The new value. It is brought into the type of the variable: write a list or an object as JSON.',
	},
	...pagingFields({ show: { operation: ['getAll'] } }),
	{
		displayName: 'Options',
		name: 'options',
		type: 'collection',
		placeholder: 'Add Option',
		default: {},
		displayOptions: { show: { resource: ['conversation'], operation: ['getAll'] } },
		options: [
			{
				displayName: 'Sort By',
				name: 'sortBy',
				type: 'options',
				options: [
					{ name: 'Created, Newest First', value: '-created_at' },
					{ name: 'Created, Oldest First', value: 'created_at' },
					{ name: 'Updated, Newest First', value: '-updated_at' },
					{ name: 'Updated, Oldest First', value: 'updated_at' },
				],
				default: '-updated_at',
			},
		],
	},
];
