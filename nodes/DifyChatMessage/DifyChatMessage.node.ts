import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { searchConversations, getForm } from '../shared/dify/editor-lists';
import { operations } from './send';

export class DifyChatMessage implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Chat Message',
		name: 'difyChatMessage',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description:
			'Send messages to Dify chatbots, agents and chatflows, and stream the response to the chat',
		defaults: { name: 'Dify Chat Message' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = {
		listSearch: { searchConversations },
		resourceMapping: { getForm },
	} satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
