import { deleteChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkField, chunkPlace, placeFields } from './fields';

export const chunkDelete: DifyOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters }) => {
		const place = chunkPlace(parameters);
		return [
			{ json: { chunkId: place.chunkId, deleted: true, existed: await deleteChunk(api, place) } },
		];
	},
};
