import type {
	INodeExecutionData,
	INodeType,
	INodeTypeDescription,
	IPollFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { triggerCredentials } from '../shared/fields/check-fields';
import { pollServerHealth, fields } from './poll';

export class ServerHealthTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Server Health Trigger',
		name: 'serverHealthTrigger',
		icon: {
			light: 'file:../../icons/serverHealth.svg',
			dark: 'file:../../icons/serverHealth.dark.svg',
		},
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter.service === "dify" ? "Watch Dify" : "Watch a model server" }}',
		// n8n's list of nodes shows this text for Server Health too, since it joins a node with its trigger.
		description:
			'Checks whether a model server or Dify works, reports how to fix it, and starts the workflow when that changes',
		defaults: { name: 'Server Health Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: triggerCredentials,
		properties: toProperties(fields),
	};

	poll: (this: IPollFunctions) => Promise<INodeExecutionData[][] | null> =
		bindContext(pollServerHealth);
}
