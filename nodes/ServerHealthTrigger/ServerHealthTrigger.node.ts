import {
	NodeConnectionTypes,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	type IPollFunctions,
} from 'n8n-workflow';

import { BUILDER_HINTS } from '../shared/builder-hints';
import { serviceCredentials } from '../shared/health/check-fields';
import { properties } from './fields';
import { pollServerHealth } from './poll';

export class ServerHealthTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Server Health Trigger',
		name: 'serverHealthTrigger',
		icon: { light: 'file:../../icons/serverHealth.svg', dark: 'file:../../icons/serverHealth.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter.service === "dify" ? "Dify" : "model server" }}',
		description: 'Starts the workflow when a model server or Dify becomes unhealthy or healthy again, with what to do',
		builderHint: BUILDER_HINTS.serverHealthTrigger,
		defaults: { name: 'Server Health Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: serviceCredentials,
		properties,
	};

	async poll(this: IPollFunctions): Promise<INodeExecutionData[][] | null> {
		return await pollServerHealth(this);
	}
}
