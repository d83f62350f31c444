import type {
	INodeExecutionData,
	IExecuteFunctions,
	INodeType,
	INodeTypeDescription,
} from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-execute';
import { getForm } from '../shared/dify/editor-lists';
import { createResourceTable } from '../shared/items/operation-table';
import { annotations, searchAnnotations } from './annotation';
import { apps } from './app';
import { files } from './file';
import { audio } from './audio';
import { texts } from './text';

const operations = createResourceTable([texts, audio, annotations, files, apps]);

export class DifyApp implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Apps',
		name: 'difyApp',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: operations.subtitle,
		description:
			'Generate text, convert speech, and manage annotations, files and settings of a Dify app',
		defaults: { name: 'Dify Apps' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = {
		resourceMapping: { getForm },
		listSearch: { searchAnnotations },
	} satisfies INodeType['methods'];

	execute: (this: IExecuteFunctions) => Promise<INodeExecutionData[][]> = createDifyExecute(
		operations,
		'app',
	);
}
