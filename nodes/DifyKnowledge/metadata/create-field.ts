import type { MetadataType } from '../../../lib/dify/knowledge/filters';
import { createField } from '../../../lib/dify/knowledge/metadata';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { stringField } from '../../shared/field-kinds';
import { TYPES } from './set';

export const metadataCreateField: DifyOperation = {
	option: { name: 'Create Field', value: 'createField', action: 'Create a metadata field' },
	fields: [
		datasetField,
		stringField('Name', 'name', { required: true }),
		{ displayName: 'Type', name: 'type', type: 'options', options: TYPES, default: 'string' },
	],
	run: async ({ api, parameters }) => {
		const type = parameters.choice<MetadataType>('type');
		return [
			{ json: await createField(api, datasetIdIn(parameters), parameters.name('name'), type) },
		];
	},
};
