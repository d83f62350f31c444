import {
	NodeConnectionTypes,
	type INodeType,
	type INodeTypeDescription,
	type ISupplyDataFunctions,
	type SupplyData,
} from 'n8n-workflow';

import { reportUnsupportedHost } from '../../lib/langchain/sdk';
import { modelFields } from './descriptions/model';
import { optionsField } from './descriptions/options';
import { responseFormatFields } from './descriptions/response-format';
import { thinkingFields } from './descriptions/thinking';
import { searchModels } from './listSearch/searchModels';
import { supplyChatModel } from './supply';

reportUnsupportedHost();

export class LocalChatModel implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Chat Model',
		name: 'localChatModel',
		icon: { light: 'file:../../icons/localLlama.svg', dark: 'file:../../icons/localLlama.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.model?.value ?? $parameter.model }}',
		description: 'Chat model on your own server: llama-server, Ollama, GPUStack, vLLM or any OpenAI-compatible server',
		defaults: { name: 'Local Chat Model' },
		codex: {
			categories: ['AI'],
			subcategories: { AI: ['Language Models', 'Root Nodes'], 'Language Models': ['Chat Models (Recommended)'] },
			alias: [
				'llama.cpp',
				'llama-server',
				'ollama',
				'gpustack',
				'vllm',
				'openai compatible',
				'local llm',
				'self-hosted',
				'lm studio',
				'qwen',
				'gpt-oss',
			],
			resources: {
				primaryDocumentation: [
					{
						url: 'https://github.com/n8n-nodes-local-llama/n8n-nodes-local-llama/blob/main/docs/nodes/local-chat-model.md',
					},
				],
			},
		},
		inputs: [],
		outputs: [NodeConnectionTypes.AiLanguageModel],
		outputNames: ['Model'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties: [...modelFields, ...thinkingFields, ...responseFormatFields, optionsField],
	};

	methods = { listSearch: { searchModels } };

	async supplyData(this: ISupplyDataFunctions, itemIndex: number): Promise<SupplyData> {
		return await supplyChatModel(this, itemIndex);
	}
}
