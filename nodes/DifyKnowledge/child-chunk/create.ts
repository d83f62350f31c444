import { createChildChunk } from '../../../lib/dify/knowledge/chunks';
import type { KnowledgeOperation } from '../call';
import { chunkPlace } from '../chunk/fields';
import { placeFields, textField } from './fields';

export const childCreate: KnowledgeOperation = {
	option: {
		name: 'Create',
		value: 'create',
		action: 'Create a child chunk',
		description: 'Only documents of the form Parent-Child have them',
	},
	fields: [...placeFields, textField],
	run: async ({ api, parameters, signal }) => [
		await createChildChunk(api, chunkPlace(parameters), parameters.freeText('content'), signal),
	],
};
