import type {
	INodeListSearchResult,
	INodeExecutionData,
	ILoadOptionsFunctions,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-operation';
import { searchConversations } from '../shared/dify/editor-lists';
import { searchVariables, operations } from './operations';

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

	methods: {
		listSearch: {
			searchConversations: (
				this: ILoadOptionsFunctions,
				filter?: string,
				token?: string,
			) => Promise<INodeListSearchResult>;
			searchVariables: (
				this: ILoadOptionsFunctions,
				filter?: string,
				token?: string,
			) => Promise<INodeListSearchResult>;
		};
	} = { listSearch: { searchConversations, searchVariables } };

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
