import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { runOperations } from '../shared/dify/operations';
import { feedbackFields } from './descriptions/feedback';
import { getAll } from './operations/getAll';
import { rate } from './operations/rate';
import { revoke } from './operations/revoke';

export class DifyFeedback implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Feedback',
		name: 'difyFeedback',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation === "getAll" ? "get many" : $parameter.operation }}',
		description: 'Rates answers of a Dify app, takes ratings back, and lists them',
		defaults: { name: 'Dify Feedback' },
		codex: {
			categories: ['AI'],
			subcategories: { AI: ['Miscellaneous', 'Root Nodes'] },
			alias: ['dify', 'rating', 'like', 'dislike', 'thumbs up', 'thumbs down', 'feedback'],
			resources: {
				primaryDocumentation: [
					{
						url: 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/nodes/dify-feedback.md',
					},
				],
			},
		},
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: feedbackFields,
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return [await runOperations(this, (parameters) => parameters.text('operation'), { rate, revoke, getAll })];
	}
}
