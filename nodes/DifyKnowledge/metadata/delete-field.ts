import { deleteField } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { fieldField } from './fields';

export const metadataDeleteField: DifyOperation = {
	option: {
		name: 'Delete Field',
		value: 'deleteField',
		action: 'Delete a metadata field',
		description: 'With its values in all documents',
	},
	fields: [datasetField, fieldField],
	run: async ({ api, parameters }) => {
		const fieldId = idIn(parameters, 'fieldId');
		return [
			{
				json: {
					fieldId,
					deleted: true,
					existed: await deleteField(api, datasetIdIn(parameters), fieldId),
				},
			},
		];
	},
};
