import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { getForm } from '../shared/dify/editor-lists';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { createResourceTable } from '../shared/items/operation-table';
import { forms } from './form';
import { runExecute } from './execute';
import { runFollow } from './follow';
import { runGet, runGetAll, runStop } from './records';

const operations = createResourceTable([
	{
		name: 'Run',
		value: 'run',
		operations: [runExecute, runGet, runFollow, runGetAll, runStop],
	},
	forms,
]);

export class DifyWorkflow implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Workflow',
		name: 'difyWorkflow',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description: 'Run, follow and stop Dify workflows, and submit their forms',
		defaults: { name: 'Dify Workflow' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = { resourceMapping: { getForm } } satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
