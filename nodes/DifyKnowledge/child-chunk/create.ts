import { createChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { DifyOperation } from '../../shared/dify/run';
import { chunkIds } from '../chunk/fields';
import { placeFields, textField } from './fields';

export const childChunkCreate: DifyOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create a child chunk',
		description: 'Only documents of the form Parent-Child have them',
	},
	fields: [...placeFields, textField],
	run: async ({ api, parameters }) => [
		{ json: await createChildChunk(api, chunkIds(parameters), parameters.freeText('content')) },
	],
};
