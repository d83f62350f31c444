import type {
	IExecuteFunctions,
	INodeListSearchResult,
	INodeExecutionData,
	ILoadOptionsFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { modelSearches } from '../shared/model-selection';
import { bindContext } from '../shared/bind-context';
import { runLocalLlama } from './operation';
import { operations } from './resources';

export class LocalLlama implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Llama',
		name: 'localLlama',
		icon: {
			light: 'file:../../icons/localLlama.svg',
			dark: 'file:../../icons/localLlama.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: operations.subtitle,
		description: 'Chat, extract, classify, transcribe, embed, rerank',
		defaults: { name: 'Local Llama' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties: operations.properties,
	};

	methods: {
		listSearch: {
			searchModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchAllModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchEmbeddingModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchRerankers: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchImageModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchTranscriptionModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
			searchSpeechModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
		};
	} = { listSearch: modelSearches };

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = bindContext(
		(context: IExecuteFunctions) => runLocalLlama(context, operations),
	);
}
