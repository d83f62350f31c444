import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { bindContext } from '../../lib/n8n/bind-context';
import { serviceCredentials } from '../shared/fields/check-fields';
import { searchModels } from '../shared/fields/model-selection';
import { operations, runServerHealth } from './operations';

export class ServerHealth implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Server Health',
		name: 'serverHealth',
		icon: {
			light: 'file:../../icons/serverHealth.svg',
			dark: 'file:../../icons/serverHealth.dark.svg',
		},
		group: ['transform'],
		version: 1,
		subtitle: operations.subtitle,
		description: 'Check whether a model server or Dify works, what is wrong, and how to fix it',
		defaults: { name: 'Server Health' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		// As a tool, the node has one output of n8n, without a display name: the first name is that of its connector.
		outputNames: ['Tool'],
		outputs: ['Healthy', 'Unhealthy'].map((displayName) => ({
			type: NodeConnectionTypes.Main,
			displayName,
		})),
		credentials: serviceCredentials,
		properties: operations.properties,
	};

	methods = { listSearch: { searchModels } } satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> =
		bindContext(runServerHealth);
}
