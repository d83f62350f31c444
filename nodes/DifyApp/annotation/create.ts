import { createAnnotation } from '../../../lib/dify/annotations';
import type { AppOperation } from '../../shared/dify/app-operations';
import { answerField, itemOf, questionField, textsIn } from './fields';

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
