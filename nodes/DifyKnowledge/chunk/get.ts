import { getChunk } from '../../../lib/dify/knowledge/chunks';
import type { KnowledgeOperation } from '../call';
import { chunkField, chunkPlace, placeFields } from './fields';

export const chunkGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters, signal }) => [await getChunk(api, chunkPlace(parameters), signal)],
};
