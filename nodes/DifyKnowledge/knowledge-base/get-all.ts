import { listBases } from '../../../lib/dify/knowledge/bases';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';
import { keywordField } from '../fields';

export const knowledgeBaseGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many knowledge bases',
		description: 'Those of the whole workspace, newest first',
	},
	fields: [keywordField, ...pagingFields],
	run: async ({ api, parameters }) =>
		itemsOf(await listBases(api, limitIn(parameters), parameters.name('keyword'))),
};
