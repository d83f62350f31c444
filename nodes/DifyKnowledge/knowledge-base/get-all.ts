import { listBases } from '../../../lib/dify/knowledge/bases';
import { mostIn, pagingFields } from '../../shared/dify/fields';
import type { KnowledgeOperation } from '../call';
import { keywordField } from '../fields';

export const baseGetAll: KnowledgeOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many knowledge bases',
		description: 'Those of the whole workspace, newest first',
	},
	fields: [keywordField, ...pagingFields],
	run: async ({ api, parameters, signal }) =>
		await listBases(api, mostIn(parameters), parameters.name('keyword'), signal),
};
