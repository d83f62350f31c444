import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { getForm } from '../shared/dify/get-form';
import { runDifyOperations } from '../shared/dify/run';
import { operations } from './resources';

export class DifyWorkflow implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Workflow',
		name: 'difyWorkflow',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ ({ getAll: "get many", submitAndFollow: "submit and follow" }[$parameter.operation] ?? $parameter.operation) + ": " + $parameter.resource }}',
		description: 'Runs workflows of Dify, follows and stops them, and answers the forms of runs that wait for people',
		builderHint: BUILDER_HINTS.difyWorkflow,
		defaults: { name: 'Dify Workflow' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: operations.properties,
	};

	methods = { resourceMapping: { getForm } };

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await runDifyOperations(this, operations);
	}
}
