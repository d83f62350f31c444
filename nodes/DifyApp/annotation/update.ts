import { updateAnnotation } from '../../../lib/dify/annotations';
import type { AppOperation } from '../../shared/dify/app-operations';
import { annotationIdField, answerField, idIn, itemOf, questionField, textsIn } from './fields';

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
