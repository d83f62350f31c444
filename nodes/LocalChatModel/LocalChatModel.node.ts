import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';

import { reportUnsupportedHost } from '../../lib/langchain/host-classes';
import { properties } from './fields';
import { bindContext } from '../shared/bind-context';
import { searchModels } from '../shared/search-models';
import { supplyChatModel } from './supply';
import { MODEL_SUBTITLE } from '../shared/model-field';

reportUnsupportedHost();

export class LocalChatModel implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Chat Model',
		name: 'localChatModel',
		icon: {
			light: 'file:../../icons/localLlama.svg',
			dark: 'file:../../icons/localLlama.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: MODEL_SUBTITLE,
		description:
			'Use chat models on your own server: llama-server, Ollama, GPUStack, vLLM or any OpenAI-compatible server',
		defaults: { name: 'Local Chat Model' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiLanguageModel],
		outputNames: ['Model'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties,
	};

	methods = { listSearch: { searchModels } };

	supplyData = bindContext(supplyChatModel);
}
