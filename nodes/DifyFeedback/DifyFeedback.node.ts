import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { createOperationTable } from '../shared/items/operation-table';
import { feedbackGetAll, feedbackRate, feedbackRevoke } from './rating';

/** In the order of n8n's list of actions. */
const operations = createOperationTable([feedbackRate, feedbackGetAll, feedbackRevoke]);

export class DifyFeedback implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Feedback',
		name: 'difyFeedback',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description: 'Rate messages of a Dify app with like or dislike, remove ratings, list feedback',
		defaults: { name: 'Dify Feedback' },
		usableAsTool: true,
		properties: operations.properties,
	};

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
