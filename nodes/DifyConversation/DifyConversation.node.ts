import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { runDifyOperations } from '../shared/dify/run';
import { searchConversations } from '../shared/dify/search-conversations';
import { searchVariables } from './search-variables';
import { operations } from './resources';

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
		builderHint: BUILDER_HINTS.difyConversation,
		defaults: { name: 'Dify Conversation' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: operations.properties,
	};

	methods = { listSearch: { searchConversations, searchVariables } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await runDifyOperations(this, operations);
	}
}
