import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { searchConversations } from '../shared/dify/searchConversations';
import { filesField } from './descriptions/files';
import { inputFields } from './descriptions/inputs';
import { messageFields } from './descriptions/message';
import { optionsField, outputFields } from './descriptions/options';
import { getForm } from './resourceMapping/getForm';
import { sendMessages } from './run';

export class DifyChatMessage implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Chat Message',
		name: 'difyChatMessage',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ { new: "new conversation", latest: "latest conversation", byId: "existing conversation" }[$parameter.conversation] }}',
		description: 'Talks to a chatbot, agent or chatflow of Dify and types the answer into the chat',
		defaults: { name: 'Dify Chat Message' },
		codex: {
			categories: ['AI'],
			subcategories: { AI: ['Agents', 'Root Nodes'] },
			alias: ['dify', 'chatbot', 'chatflow', 'agent', 'llm', 'self-hosted'],
			resources: {
				primaryDocumentation: [
					{
						url: 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/nodes/dify-chat-message.md',
					},
				],
			},
		},
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: [...messageFields, ...inputFields, filesField, ...outputFields, optionsField],
	};

	methods = { listSearch: { searchConversations }, resourceMapping: { getForm } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await sendMessages(this)];
	}
}
