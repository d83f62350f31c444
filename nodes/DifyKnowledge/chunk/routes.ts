import { chunkRoutes } from '../../../lib/dify/knowledge/routes';
import { pagingFields } from '../../shared/dify/fields';
import { knowledgeOperation, readText } from '../../shared/dify/route-operation';
import { keywordField } from '../fields';
import { chunkField, chunkValues, documentValues, placeFields } from './fields';

export const chunkGetAll = knowledgeOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many chunks',
		description: 'In their order',
	},
	fields: [...placeFields, keywordField, ...pagingFields],
	route: chunkRoutes.list,
	values: { ...documentValues, keyword: readText('keyword') },
});

export const chunkGet = knowledgeOperation({
	option: { name: 'Get', value: 'get', action: 'Get a chunk' },
	fields: [...placeFields, chunkField],
	route: chunkRoutes.get,
	values: chunkValues,
});

export const chunkDelete = knowledgeOperation({
	option: { name: 'Delete', value: 'delete', action: 'Delete a chunk' },
	fields: [...placeFields, chunkField],
	route: chunkRoutes.delete,
	values: chunkValues,
	items: (existed, { segment_id }) => ({ chunkId: segment_id, deleted: true, existed }),
});
