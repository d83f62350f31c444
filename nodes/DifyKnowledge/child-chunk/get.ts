import { getChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { KnowledgeOperation } from '../call';
import { chunkPlace } from '../chunk/fields';
import { idIn } from '../fields';
import { childField, placeFields } from './fields';

export const childGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a child chunk' },
	fields: [...placeFields, childField],
	run: async ({ api, parameters, signal }) => [
		await getChildChunk(api, chunkPlace(parameters), idIn(parameters, 'childChunkId'), signal),
	],
};
