import { updateChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { KnowledgeOperation } from '../call';
import { chunkPlace } from '../chunk/fields';
import { idIn } from '../fields';
import { childField, placeFields, textField } from './fields';

export const childUpdate: KnowledgeOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a child chunk' },
	fields: [...placeFields, childField, textField],
	run: async ({ api, parameters, signal }) => {
		const childId = idIn(parameters, 'childChunkId');
		return [await updateChildChunk(api, chunkPlace(parameters), childId, parameters.freeText('content'), signal)];
	},
};
