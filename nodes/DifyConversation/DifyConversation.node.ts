import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { searchConversations } from '../shared/dify/editor-lists';
import { createResourceTable } from '../shared/items/operation-table';
import { conversations } from './conversation';
import { messages } from './message';
import { searchVariables, variables } from './variable';

const operations = createResourceTable([conversations, messages, variables]);

export class DifyConversation implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Conversation',
		name: 'difyConversation',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description:
			'List, rename and delete conversations of a Dify app, read messages, set variables',
		defaults: { name: 'Dify Conversation' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = {
		listSearch: { searchConversations, searchVariables },
	} satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
