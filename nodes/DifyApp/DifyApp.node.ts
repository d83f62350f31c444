import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { runDifyOperations } from '../shared/dify/run';
import { getForm } from '../shared/dify/get-form';
import { operations } from './resources';
import { searchAnnotations } from './search-annotations';

export class DifyApp implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Apps',
		name: 'difyApp',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ ({ getAll: "get many", getStatus: "get status", upsert: "create or update" }[$parameter.operation] ?? $parameter.operation) + ": " + $parameter.resource.replace(/[A-Z]/g, " $&").toLowerCase() }}',
		description: 'Text generators of Dify, speech both ways, annotations, files, and what an app tells of itself',
		builderHint: BUILDER_HINTS.difyApp,
		defaults: { name: 'Dify Apps' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: operations.properties,
	};

	methods = { resourceMapping: { getForm }, listSearch: { searchAnnotations } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await runDifyOperations(this, operations);
	}
}
