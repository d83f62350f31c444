import { deleteChunk } from '../../../lib/dify/knowledge/chunks';
import type { KnowledgeOperation } from '../call';
import { chunkField, chunkPlace, placeFields } from './fields';

export const chunkDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters, signal }) => {
		const place = chunkPlace(parameters);
		return [{ chunkId: place.chunkId, deleted: true, existed: await deleteChunk(api, place, signal) }];
	},
};
