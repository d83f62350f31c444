import { NodeConnectionTypes, type INodeType, type INodeTypeDescription } from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { withContext } from '../shared/with-context';
import { properties } from './fields';
import { supplyDifyModel } from './supply';

export class DifyChatModel implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Chat Model',
		name: 'difyChatModel',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.memory === "dify" ? "memory of Dify" : "memory of n8n" }}',
		description: 'A Dify app as the model of a chain, or of an agent without tools',
		builderHint: BUILDER_HINTS.difyChatModel,
		defaults: { name: 'Dify Chat Model' },
		inputs: [],
		outputs: [NodeConnectionTypes.AiLanguageModel],
		outputNames: ['Model'],
		credentials: [{ name: 'difyApi', required: true }],
		properties,
	};

	supplyData = withContext(supplyDifyModel);
}
