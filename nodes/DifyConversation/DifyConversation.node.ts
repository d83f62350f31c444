import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { runOperations } from '../shared/dify/operations';
import { searchConversations } from '../shared/dify/searchConversations';
import { conversationFields } from './descriptions/fields';
import { resourceFields } from './descriptions/resource';
import { searchVariables } from './listSearch/searchVariables';
import { OPERATIONS } from './operations';

export class DifyConversation implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Conversation',
		name: 'difyConversation',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ ({ getAll: "get many", getSuggested: "get suggested" }[$parameter.operation] ?? $parameter.operation) + ": " + $parameter.resource }}',
		description:
			'Lists, renames and deletes conversations of a Dify app, reads their messages, and sets their variables',
		defaults: { name: 'Dify Conversation' },
		codex: {
			categories: ['AI'],
			subcategories: { AI: ['Miscellaneous', 'Root Nodes'] },
			alias: ['dify', 'chat history', 'messages', 'suggested questions', 'conversation variables'],
			resources: {
				primaryDocumentation: [
					{
						url: 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/nodes/dify-conversation.md',
					},
				],
			},
		},
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: [...resourceFields, ...conversationFields],
	};

	methods = { listSearch: { searchConversations, searchVariables } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [
			await runOperations(
				this,
				(parameters) => `${parameters.text('resource')}.${parameters.text('operation')}`,
				OPERATIONS,
			),
		];
	}
}
