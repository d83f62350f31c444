import { updateChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkPlace } from '../chunk/fields';
import { idIn } from '../fields';
import { childField, placeFields, textField } from './fields';

export const childChunkUpdate: DifyOperation = {
	option: { name: 'Update', value: 'update', action: 'Update a child chunk' },
	fields: [...placeFields, childField, textField],
	run: async ({ api, parameters }) => {
		const childId = idIn(parameters, 'childChunkId');
		return [
			{
				json: await updateChildChunk(
					api,
					chunkPlace(parameters),
					childId,
					parameters.freeText('content'),
				),
			},
		];
	},
};
