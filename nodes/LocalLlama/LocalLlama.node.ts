import type {
	IExecuteFunctions,
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { modelSearches } from '../shared/fields/model-selection';
import { searchVoices } from '../shared/fields/voice-selection';
import { bindContext } from '../../lib/n8n/bind-context';
import { runLocalLlama } from './run-local-llama';
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

	methods = { listSearch: { ...modelSearches, searchVoices } } satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = bindContext(
		(context: IExecuteFunctions) => runLocalLlama(context, operations),
	);
}
