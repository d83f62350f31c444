import type { INodeType, INodeTypeDescription } from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-operation';
import { createOperationTable } from '../shared/run/operations';
import { feedbackGetAll, rate, revoke } from './operations';

const operations = createOperationTable([rate, feedbackGetAll, revoke]);

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

	execute = createDifyExecute(operations, 'app');
}
