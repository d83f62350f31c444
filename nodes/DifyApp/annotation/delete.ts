import { deleteAnnotation } from '../../../lib/dify/annotations';
import type { AppOperation } from '../../shared/dify/app-operations';
import { annotationIdField, idIn, itemOf } from './fields';

export const annotationDelete: AppOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete an annotation', description: 'Remove an annotation' },
	fields: [annotationIdField],
	run: async (call) => {
		const id = idIn(call);
		await deleteAnnotation(call.app.client, id, call.signal);
		return [itemOf(call, { success: true, annotationId: id })];
	},
};
