import type {
	INodeType,
	INodeTypeDescription,
	SupplyData,
	ISupplyDataFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { supplyEmbeddings, fields } from './supply';
import { MODEL_SUBTITLE, searchEmbeddingModels } from '../shared/fields/model-selection';

export class LocalEmbeddings implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Embeddings',
		name: 'localEmbeddings',
		icon: {
			light: 'file:../../icons/localEmbeddings.svg',
			dark: 'file:../../icons/localEmbeddings.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: MODEL_SUBTITLE,
		description: 'Vector store embeddings on your own server',
		defaults: { name: 'Local Embeddings' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiEmbedding],
		outputNames: ['Embeddings'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties: toProperties(fields),
	};

	methods = { listSearch: { searchEmbeddingModels } } satisfies INodeType['methods'];

	supplyData: (this: ISupplyDataFunctions, itemIndex: number) => Promise<SupplyData> =
		bindContext(supplyEmbeddings);
}
