import type {
	INodeType,
	INodeTypeDescription,
	ISupplyDataFunctions,
	SupplyData,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { getKnowledgeBases, fields } from './fields';
import { supplyRetriever } from './supply';

export class DifyRetriever implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Retriever',
		name: 'difyRetriever',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ "up to " + $parameter.topK + " results" }}',
		description: 'Retrieve from Dify knowledge bases for a question and answer chain',
		defaults: { name: 'Dify Retriever' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiRetriever],
		outputNames: ['Retriever'],
		credentials: [{ name: 'difyApi', required: true }],
		properties: toProperties(fields),
	};

	methods = { loadOptions: { getKnowledgeBases } } satisfies INodeType['methods'];

	supplyData: (this: ISupplyDataFunctions, itemIndex: number) => Promise<SupplyData> =
		bindContext(supplyRetriever);
}
