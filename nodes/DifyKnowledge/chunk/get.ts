import { getChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkField, chunkPlace, placeFields } from './fields';

export const chunkGet: DifyOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a chunk' },
	fields: [...placeFields, chunkField],
	run: async ({ api, parameters }) => [{ json: await getChunk(api, chunkPlace(parameters)) }],
};
