import {
	NodeConnectionTypes,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { runDifyOperations } from '../shared/dify/run';
import { operationTable } from '../shared/run/operations';
import { getAll } from './get-all';
import { rate } from './rate';
import { revoke } from './revoke';

const operations = operationTable([getAll, rate, revoke], 'rate');

export class DifyFeedback implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Feedback',
		name: 'difyFeedback',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{ $parameter.operation === "getAll" ? "get many" : $parameter.operation }}',
		description: 'Rates answers of a Dify app, takes ratings back, and lists them',
		builderHint: BUILDER_HINTS.difyFeedback,
		defaults: { name: 'Dify Feedback' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: operations.properties,
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		return await runDifyOperations(this, operations);
	}
}
