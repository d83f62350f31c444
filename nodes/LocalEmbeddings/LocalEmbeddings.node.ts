import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';
import { bindContext } from '../shared/bind-context';
import { searchEmbeddingModels } from '../shared/search-models';
import { supplyEmbeddings, properties } from './supply';
import { MODEL_SUBTITLE } from '../shared/model-field';

export class LocalEmbeddings implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Embeddings',
		name: 'localEmbeddings',
		icon: {
			light: 'file:../../icons/localLlama.svg',
			dark: 'file:../../icons/localLlama.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: MODEL_SUBTITLE,
		description:
			'Use embedding models on your own server for a vector store: llama-server, Ollama, vLLM, GPUStack, any OpenAI-compatible server',
		defaults: { name: 'Local Embeddings' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiEmbedding],
		outputNames: ['Embeddings'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties,
	};

	methods = { listSearch: { searchEmbeddingModels } };

	supplyData = bindContext(supplyEmbeddings);
}
