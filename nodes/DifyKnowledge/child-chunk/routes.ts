import { childChunkRoutes } from '../../../lib/dify/knowledge/routes';
import { pagingFields } from '../../shared/dify/fields';
import { knowledgeOperation, readText } from '../../shared/dify/route-operation';
import { chunkValues } from '../chunk/fields';
import { keywordField, readId } from '../fields';
import { childField, placeFields, textField } from './fields';

const childValues = { ...chunkValues, child_chunk_id: readId('childChunkId') };

export const childChunkGetAll = knowledgeOperation({
	option: { name: 'Get Many', value: 'getAll', action: 'Get many child chunks' },
	fields: [...placeFields, keywordField, ...pagingFields],
	route: childChunkRoutes.list,
	values: { ...chunkValues, keyword: readText('keyword') },
});

export const childChunkUpdate = knowledgeOperation({
	option: { name: 'Update', value: 'update', action: 'Update a child chunk' },
	fields: [...placeFields, childField, textField],
	route: childChunkRoutes.update,
	values: { ...childValues, content: readText('content') },
});

export const childChunkDelete = knowledgeOperation({
	option: { name: 'Delete', value: 'delete', action: 'Delete a child chunk' },
	fields: [...placeFields, childField],
	route: childChunkRoutes.delete,
	values: childValues,
	items: (existed, { child_chunk_id }) => ({
		childChunkId: child_chunk_id,
		deleted: true,
		existed,
	}),
});
