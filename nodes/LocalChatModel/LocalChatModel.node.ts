import type {
	INodeListSearchResult,
	ILoadOptionsFunctions,
	INodeType,
	INodeTypeDescription,
	SupplyData,
	ISupplyDataFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { reportUnsupportedHost } from '../../lib/langchain/host-classes';
import { fields } from './fields';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { supplyChatModel } from './supply';
import { MODEL_SUBTITLE, searchModels } from '../shared/fields/model-selection';

reportUnsupportedHost();

export class LocalChatModel implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Local Chat Model',
		name: 'localChatModel',
		icon: {
			light: 'file:../../icons/localChatModel.svg',
			dark: 'file:../../icons/localChatModel.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: MODEL_SUBTITLE,
		description: 'Chat model on llama-server, Ollama or vLLM',
		defaults: { name: 'Local Chat Model' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiLanguageModel],
		outputNames: ['Model'],
		credentials: [{ name: 'localLlamaApi', required: true }],
		properties: toProperties(fields),
	};

	methods: {
		listSearch: {
			searchModels: (
				this: ILoadOptionsFunctions,
				filter?: string,
			) => Promise<INodeListSearchResult>;
		};
	} = { listSearch: { searchModels } };

	supplyData: (this: ISupplyDataFunctions, itemIndex: number) => Promise<SupplyData> =
		bindContext(supplyChatModel);
}
