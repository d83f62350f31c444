import { updateBase } from '../../../lib/dify/knowledge/bases';
import { storedRetrieval } from '../../../lib/dify/knowledge/retrieve';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import {
	isSet,
	nameField,
	searchDefaults,
	searchDefaultsIn,
	settings,
	settingsIn,
} from './settings';
import { optionsCollection } from '../../shared/field-kinds';

export const knowledgeBaseUpdate: DifyOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a knowledge base' },
	fields: [
		datasetField,
		optionsCollection([
			...settings,
			...searchDefaults,
			{ ...nameField, required: false, displayName: 'New Name' },
		]),
	],
	run: async ({ api, parameters }) => {
		const datasetId = datasetIdIn(parameters);
		const search = searchDefaultsIn(parameters);
		const model = isSet(search) ? storedRetrieval(await api.base(datasetId), search) : undefined;
		const name = parameters.name('options.name') || undefined;
		return [
			{
				json: await updateBase(api, datasetId, {
					...settingsIn(parameters),
					name,
					retrievalModel: model,
				}),
			},
		];
	},
};
