import type {
	INodeType,
	INodeTypeDescription,
	INodeExecutionData,
	IPollFunctions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { toProperties } from '../shared/fields/to-properties';
import { bindContext } from '../../lib/n8n/bind-context';
import { pollDify, fields } from './poll';

export class DifyTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dify Event Trigger',
		name: 'difyTrigger',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter.rating }}',
		description: 'Starts the workflow when a message of a Dify app is rated',
		defaults: { name: 'Dify Event Trigger' },
		polling: true,
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
		credentials: [{ name: 'difyApi', required: true }],
		properties: toProperties(fields),
	};

	poll: (this: IPollFunctions) => Promise<INodeExecutionData[][] | null> = bindContext(pollDify);
}
