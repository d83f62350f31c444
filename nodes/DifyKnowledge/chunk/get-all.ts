import { listChunks } from '../../../lib/dify/knowledge/chunks';
import { mostIn, pagingFields } from '../../shared/dify/fields';
import type { KnowledgeOperation } from '../call';
import { keywordField } from '../fields';
import { documentPlace, placeFields } from './fields';

export const chunkGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many chunks', description: 'In their order' },
	fields: [...placeFields, keywordField, ...pagingFields],
	run: async ({ api, parameters, signal }) =>
		await listChunks(api, documentPlace(parameters), mostIn(parameters), parameters.freeText('keyword'), signal),
};
