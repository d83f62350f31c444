import { createAnnotation } from '../../../lib/dify/app/annotations';
import type { DifyOperation } from '../../shared/dify/run';
import { answerField, questionField, textsIn } from './fields';

export const annotationCreate: DifyOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create an annotation',
		description: 'Add a question with its answer, also where the same question is there already',
	},
	fields: [questionField, answerField],
	run: async (call) => [{ json: await createAnnotation(call.client, textsIn(call)) }],
};
