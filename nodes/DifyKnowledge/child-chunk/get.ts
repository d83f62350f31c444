import { getChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkIds } from '../chunk/fields';
import { idIn } from '../fields';
import { childField, placeFields } from './fields';

export const childChunkGet: DifyOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a child chunk' },
	fields: [...placeFields, childField],
	run: async ({ api, parameters }) => [
		{ json: await getChildChunk(api, chunkIds(parameters), idIn(parameters, 'childChunkId')) },
	],
};
