import { renameField } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { fieldField, nameField } from './fields';

export const metadataRenameField: DifyOperation = {
	option: { name: 'Rename Field', value: 'renameField', action: 'Rename a metadata field' },
	fields: [datasetField, fieldField, nameField('New Name')],
	run: async ({ api, parameters }) => [
		{
			json: await renameField(
				api,
				datasetIdIn(parameters),
				idIn(parameters, 'fieldId'),
				parameters.name('name'),
			),
		},
	],
};
