import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { searchConversations } from '../shared/dify/search-conversations';
import { getForm } from '../shared/dify/get-form';
import { operations, sendMessages } from './send';

export class DifyChatMessage implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Chat Message',
		name: 'difyChatMessage',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: [1, 1.1],
		subtitle:
			'={{ { new: "new conversation", latest: "latest conversation", byId: "existing conversation" }[$parameter.conversation] }}',
		description: 'Talks to a chatbot, agent or chatflow of Dify and types the answer into the chat',
		builderHint: BUILDER_HINTS.difyChatMessage,
		defaults: { name: 'Dify Chat Message' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: operations.properties,
	};

	methods = { listSearch: { searchConversations }, resourceMapping: { getForm } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await sendMessages(this);
	}
}
