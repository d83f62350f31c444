import { createChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { contentField, documentIds, placeFields, values, valuesIn } from './fields';
import { optionsCollection } from '../../shared/field-kinds';

export const chunkCreate: DifyOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a chunk' },
	fields: [...placeFields, { ...contentField, required: true }, optionsCollection(values)],
	run: async ({ api, parameters, hint }) => {
		const chunk = { ...valuesIn(parameters), content: parameters.freeText('content') };
		const { chunks, remarks } = await createChunk(api, documentIds(parameters), chunk);
		remarks.forEach(hint);
		return itemsOf(chunks);
	},
};
