import { updateAnnotation } from '../../../lib/dify/app/annotations';
import type { DifyOperation } from '../../shared/dify/run';
import { annotationIdField, annotationIdIn, answerField, questionField } from './fields';

export const annotationUpdate: DifyOperation = {
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
	run: async ({ client, parameters }) => {
		const question = parameters.freeText('question');
		const answer = parameters.freeText('answer');
		const texts = {
			...(question.trim() === '' ? {} : { question }),
			...(answer.trim() === '' ? {} : { answer }),
		};
		return [{ json: await updateAnnotation(client, annotationIdIn(parameters), texts) }];
	},
};
