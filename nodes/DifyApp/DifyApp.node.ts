import type { INodeType, INodeTypeDescription } from 'n8n-workflow';
import { difyActionNode, createDifyExecute } from '../shared/dify/dify-operation';
import { getForm } from '../shared/dify/editor-lists';
import { buildSubtitle, createResourceTable } from '../shared/run/operations';
import {
	searchAnnotations,
	annotationCreate,
	annotationDelete,
	annotationGetAll,
	annotationUpdate,
} from './annotation';
import { appGet } from './app';
import { audioSpeak, audioTranscribe } from './audio';
import { fileDownload, fileUpload } from './file';
import { textGenerate } from './generate';

const operations = createResourceTable([
	{
		name: 'Text',
		value: 'text',
		description: 'For text generator apps',
		operations: [textGenerate],
	},
	{ name: 'Audio', value: 'audio', operations: [audioSpeak, audioTranscribe] },
	{
		name: 'Annotation',
		value: 'annotation',
		description: 'Questions with predefined answers',
		operations: [annotationGetAll, annotationCreate, annotationUpdate, annotationDelete],
	},
	{ name: 'File', value: 'file', operations: [fileUpload, fileDownload] },
	{ name: 'App', value: 'app', operations: [appGet] },
]);

export class DifyApp implements INodeType {
	description: INodeTypeDescription = {
		...difyActionNode,
		displayName: 'Dify Apps',
		name: 'difyApp',
		icon: { light: 'file:../../icons/dify.svg', dark: 'file:../../icons/dify.dark.svg' },
		subtitle: buildSubtitle(operations.properties),
		description:
			'Generate text, convert speech, and manage annotations, files and settings of a Dify app',
		defaults: { name: 'Dify Apps' },
		usableAsTool: true,
		properties: operations.properties,
	};

	methods = { resourceMapping: { getForm }, listSearch: { searchAnnotations } };

	execute = createDifyExecute(operations);
}
