import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';

import type { AppOperation } from '../shared/dify/app-operations';
import { operationChosen, resourceFields } from '../shared/run/operations';
import { annotationCreate } from './annotation/create';
import { annotationDelete } from './annotation/delete';
import { annotationGetAll } from './annotation/get-all';
import { annotationUpdate } from './annotation/update';
import { annotationUpsert } from './annotation/upsert';
import { annotationReplyDisable } from './annotation-reply/disable';
import { annotationReplyEnable } from './annotation-reply/enable';
import { annotationReplyGetStatus } from './annotation-reply/get-status';
import { appGet } from './app/get';
import { audioSpeak } from './audio/speak';
import { audioTranscribe } from './audio/transcribe';
import { endUserGet } from './end-user/get';
import { fileDownload } from './file/download';
import { fileUpload } from './file/upload';
import { textGenerate } from './text/generate';

const RESOURCES = {
	annotation: {
		operations: [annotationCreate, annotationUpsert, annotationDelete, annotationGetAll, annotationUpdate],
		preset: 'getAll',
	},
	annotationReply: {
		operations: [annotationReplyDisable, annotationReplyEnable, annotationReplyGetStatus],
		preset: 'enable',
	},
	app: { operations: [appGet], preset: 'get' },
	audio: { operations: [audioSpeak, audioTranscribe], preset: 'speak' },
	endUser: { operations: [endUserGet], preset: 'get' },
	file: { operations: [fileDownload, fileUpload], preset: 'upload' },
	text: { operations: [textGenerate], preset: 'generate' },
};

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'Annotation', value: 'annotation', description: 'Questions with fixed answers' },
		{ name: 'Annotation Reply', value: 'annotationReply', description: 'Whether the app answers with them' },
		{ name: 'App', value: 'app' },
		{ name: 'Audio', value: 'audio' },
		{ name: 'End User', value: 'endUser' },
		{ name: 'File', value: 'file' },
		{ name: 'Text', value: 'text', description: 'For apps of the type text generator' },
	],
	default: 'text',
};

export const properties: INodeProperties[] = [resourceField, ...resourceFields(RESOURCES)];

/** The operation of the node. */
export function operationOf(context: IExecuteFunctions): AppOperation {
	return operationChosen(context, 0, resourceField, RESOURCES);
}
