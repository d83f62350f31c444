import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';

/** One user for each chat, and one for the workflow where there is no chat. */
const DEFAULT_USER = "={{ $json.sessionId ?? 'n8n-' + $workflow.id }}";

/** The user that everything in Dify belongs to. */
export function userField(displayOptions?: IDisplayOptions): INodeProperties {
	return {
		displayName: 'User',
		name: 'user',
		type: 'string',
		default: DEFAULT_USER,
		required: true,
		...(displayOptions === undefined ? {} : { displayOptions }),
		description:
			'Who writes. Dify keeps conversations, messages, files and ratings apart by it, so use the same value in all Dify nodes. Behind a Chat Trigger, every chat session is a user of its own. Dify does not check the value.',
	};
}

/** A conversation, from the list of the user or by ID. */
export function conversationField(more: Partial<INodeProperties>): INodeProperties {
	return {
		displayName: 'Conversation',
		name: 'conversationId',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				placeholder: 'Select a conversation…',
				typeOptions: { searchListMethod: 'searchConversations', searchable: true },
			},
			{ displayName: 'By ID', name: 'id', type: 'string', placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276' },
		],
		...more,
	};
}

/** "Return All" and "Limit". */
export function pagingFields(displayOptions: { show: Record<string, string[]> }): INodeProperties[] {
	return [
		{
			displayName: 'Return All',
			name: 'returnAll',
			type: 'boolean',
			default: false,
			displayOptions,
			description: 'Whether to return all results or only up to a given limit',
		},
		{
			displayName: 'Limit',
			name: 'limit',
			type: 'number',
			typeOptions: { minValue: 1 },
			default: 50,
			displayOptions: { show: { ...displayOptions.show, returnAll: [false] } },
			description: 'Max number of results to return',
		},
	];
}
