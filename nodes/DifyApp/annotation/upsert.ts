import { upsertAnnotation } from '../../../lib/dify/annotations';
import type { AppOperation } from '../../shared/dify/app-operations';
import { answerField, itemOf, questionField, textsIn } from './fields';

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
