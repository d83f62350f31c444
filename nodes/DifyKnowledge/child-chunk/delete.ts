import { deleteChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkPlace } from '../chunk/fields';
import { idIn } from '../fields';
import { childField, placeFields } from './fields';

export const childChunkDelete: DifyOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a child chunk' },
	fields: [...placeFields, childField],
	run: async ({ api, parameters }) => {
		const childChunkId = idIn(parameters, 'childChunkId');
		const existed = await deleteChildChunk(api, chunkPlace(parameters), childChunkId);
		return [{ json: { childChunkId, deleted: true, existed } }];
	},
};
