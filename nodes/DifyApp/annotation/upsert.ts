import { upsertAnnotation } from '../../../lib/dify/app/annotations';
import type { DifyOperation } from '../../shared/dify/run';
import { answerField, questionField, textsIn } from './fields';

export const annotationUpsert: DifyOperation = {
	option: {
		name: 'Create or Update',
		value: 'upsert',
		action: 'Create or update an annotation',
		description: 'Create a new record, or update the current one if it already exists (upsert)',
	},
	fields: [questionField, answerField],
	run: async (call) => {
		const { annotation, created } = await upsertAnnotation(call.client, textsIn(call));
		return [{ json: { ...annotation, created } }];
	},
};
