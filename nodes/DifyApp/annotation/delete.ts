import { deleteAnnotation } from '../../../lib/dify/app/annotations';
import type { DifyOperation } from '../../shared/dify/run';
import { annotationIdField, idIn } from './fields';

export const annotationDelete: DifyOperation = {
	option: {
		name: 'Delete',
		value: 'delete',
		action: 'Delete an annotation',
		description: 'Remove an annotation',
	},
	fields: [annotationIdField],
	run: async (call) => {
		const id = idIn(call);
		await deleteAnnotation(call.client, id);
		return [{ json: { success: true, annotationId: id } }];
	},
};
