import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import {
	createAnnotation,
	deleteAnnotation,
	listAnnotations,
	updateAnnotation,
	upsertAnnotation,
} from '../../lib/dify/annotations';
import { uuid } from '../../lib/dify/ids';
import type { AppCall, AppOperation } from '../shared/dify/app-operations';
import { mostIn, pagingFields } from '../shared/dify/fields';
import { annotationIdField, answerField, questionField } from './annotation/fields';

const idIn = ({ parameters }: AppCall) => uuid(parameters.value('annotationId'), 'annotation ID');
const textsIn = ({ parameters }: AppCall) => ({
	question: parameters.freeText('question'),
	answer: parameters.freeText('answer'),
});
const itemOf = ({ parameters }: AppCall, json: object): INodeExecutionData => ({
	json: json as IDataObject,
	pairedItem: { item: parameters.itemIndex },
});

export const annotationCreate: AppOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create an annotation',
		description: 'Add a question with its answer, also where the same question is there already',
	},
	fields: [questionField, answerField],
	run: async (call) => [itemOf(call, await createAnnotation(call.app.client, textsIn(call), call.signal))],
};

export const annotationUpsert: AppOperation = {
	option: {
		name: 'Create or Update',
		value: 'upsert',
		action: 'Create or update an annotation',
		description: 'Create a new record, or update the current one if it already exists (upsert)',
	},
	fields: [questionField, answerField],
	run: async (call) => {
		const { annotation, created } = await upsertAnnotation(call.app.client, textsIn(call), call.signal);
		return [itemOf(call, { ...annotation, created })];
	},
};

export const annotationUpdate: AppOperation = {
	option: {
		name: 'Update',
		value: 'update',
		action: 'Update an annotation',
		description: 'Change question and answer',
	},
	fields: [
		annotationIdField,
		{ ...questionField, required: false, description: 'Empty: it stays as it is' },
		{ ...answerField, required: false, description: 'Empty: it stays as it is' },
	],
	run: async (call) => {
		const { question, answer } = textsIn(call);
		const texts = {
			...(question.trim() === '' ? {} : { question }),
			...(answer.trim() === '' ? {} : { answer }),
		};
		return [itemOf(call, await updateAnnotation(call.app.client, idIn(call), texts, call.signal))];
	},
};

export const annotationDelete: AppOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete an annotation', description: 'Remove an annotation' },
	fields: [annotationIdField],
	run: async (call) => {
		const id = idIn(call);
		await deleteAnnotation(call.app.client, id, call.signal);
		return [itemOf(call, { success: true, annotationId: id })];
	},
};

export const annotationGetAll: AppOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many annotations',
		description: 'Questions and answers of the app, with how often each was used',
	},
	fields: [
		{
			displayName: 'Keyword',
			name: 'keyword',
			type: 'string',
			default: '',
			description: 'Only annotations with this text in the question or the answer. Empty: all.',
		},
		...pagingFields,
	],
	run: async (call) => {
		const { app, parameters, signal } = call;
		const found = await listAnnotations(app.client, parameters.name('keyword'), mostIn(parameters), signal);
		return found.map((annotation) => itemOf(call, annotation));
	},
};
