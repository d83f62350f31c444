import { deleteField } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from '../call';
import { idIn } from '../fields';
import { fieldField } from './fields';

export const fieldDelete: KnowledgeOperation = {
	option: {
		name: 'Delete Field',
		value: 'deleteField',
		action: 'Delete a metadata field',
		description: 'With its values in all documents',
	},
	fields: [datasetField, fieldField],
	run: async ({ api, parameters, signal }) => {
		const fieldId = idIn(parameters, 'fieldId');
		return [{ fieldId, deleted: true, existed: await deleteField(api, datasetIdIn(parameters), fieldId, signal) }];
	},
};
