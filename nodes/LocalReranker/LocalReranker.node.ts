import type {
	INodeType,
	INodeTypeDescription,
	SupplyData,
	ISupplyDataFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { supplyReranker, fields } from './supply';
import { MODEL_SUBTITLE, searchRerankers } from '../shared/fields/model-selection';

export class LocalReranker implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Reranker',
		name: 'localReranker',
		icon: {
			light: 'file:../../icons/localReranker.svg',
			dark: 'file:../../icons/localReranker.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: MODEL_SUBTITLE,
		description: 'Rerank vector store results on your own server',
		defaults: { name: 'Local Reranker' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiReranker],
		outputNames: ['Reranker'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties: toProperties(fields),
	};

	methods = { listSearch: { searchRerankers } } satisfies INodeType['methods'];

	supplyData: (this: ISupplyDataFunctions, itemIndex: number) => Promise<SupplyData> =
		bindContext(supplyReranker);
}
