import {
	createChildChunk,
	deleteChildChunk,
	getChildChunk,
	listChildChunks,
	updateChildChunk,
} from '../../lib/dify/knowledge/chunks';
import { mostIn, pagingFields } from '../shared/dify/fields';
import { datasetField } from '../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from './call';
import { chunkField, chunkPlace, contentField } from './chunk';
import { documentField, idField, idIn, keywordField } from './fields';

const placeFields = [datasetField, documentField, chunkField];
const childField = idField('Child Chunk ID', 'childChunkId');
const textField = { ...contentField, required: true, description: 'The text that is found in place of its parent' };

export const childCreate: KnowledgeOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create a child chunk',
		description: 'Only documents of the form Parent-Child have them',
	},
	fields: [...placeFields, textField],
	run: async ({ api, parameters, signal }) => [
		await createChildChunk(api, chunkPlace(parameters), parameters.freeText('content'), signal),
	],
};

export const childDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a child chunk' },
	fields: [...placeFields, childField],
	run: async ({ api, parameters, signal }) => {
		const childChunkId = idIn(parameters, 'childChunkId');
		const existed = await deleteChildChunk(api, chunkPlace(parameters), childChunkId, signal);
		return [{ childChunkId, deleted: true, existed }];
	},
};

export const childGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a child chunk' },
	fields: [...placeFields, childField],
	run: async ({ api, parameters, signal }) => [
		await getChildChunk(api, chunkPlace(parameters), idIn(parameters, 'childChunkId'), signal),
	],
};

export const childGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many child chunks' },
	fields: [...placeFields, keywordField, ...pagingFields],
	run: async ({ api, parameters, signal }) =>
		await listChildChunks(api, chunkPlace(parameters), mostIn(parameters), parameters.freeText('keyword'), signal),
};

export const childUpdate: KnowledgeOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a child chunk' },
	fields: [...placeFields, childField, textField],
	run: async ({ api, parameters, signal }) => {
		const childId = idIn(parameters, 'childChunkId');
		return [await updateChildChunk(api, chunkPlace(parameters), childId, parameters.freeText('content'), signal)];
	},
};
