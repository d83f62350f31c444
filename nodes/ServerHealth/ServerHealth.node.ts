import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { searchModels } from '../LocalChatModel/listSearch/searchModels';
import { checkFields } from './descriptions/check';
import { modelFields } from './descriptions/models';
import { operationFields } from './descriptions/operation';
import { optionsFields } from './descriptions/options';
import { speedFields } from './descriptions/speed';
import { runServerHealth } from './run';

export class ServerHealth implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Server Health',
		name: 'serverHealth',
		icon: { light: 'file:../../icons/serverHealth.svg', dark: 'file:../../icons/serverHealth.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation.replace(/[A-Z]/g, " $&").toLowerCase() }}',
		description: 'Finds out whether a model server or Dify works, what is wrong with it, and what to do about it',
		defaults: { name: 'Server Health' },
		codex: {
			categories: ['Utility'],
			alias: [
				'llama.cpp',
				'llama-server',
				'ollama',
				'gpustack',
				'vllm',
				'dify',
				'monitor',
				'diagnose',
				'troubleshoot',
				'benchmark',
				'tokens per second',
				'health check',
			],
			resources: {
				primaryDocumentation: [
					{
						url: 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/nodes/server-health.md',
					},
				],
			},
		},
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: ['Healthy', 'Unhealthy'],
		credentials: [
			// Hidden there, not shown here: where every choice of a field shows a credential, the editor takes it for the choice of an
			// authentication and hides the field (n8n, nodeTypesUtils.ts, getMainAuthField).
			{ name: 'localLlamaApi', required: true, displayOptions: { hide: { service: ['dify'] } } },
			{ name: 'difyApi', required: true, displayOptions: { show: { service: ['dify'] } } },
		],
		properties: [...operationFields, ...modelFields, ...speedFields, ...checkFields, ...optionsFields],
	};

	methods = { listSearch: { searchModels } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await runServerHealth(this);
	}
}
