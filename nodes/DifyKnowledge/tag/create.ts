import { createTag } from '../../../lib/dify/knowledge/tags';
import type { KnowledgeOperation } from '../call';
import { nameField } from './fields';

export const tagCreate: KnowledgeOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a tag' },
	fields: [nameField],
	run: async ({ api, parameters, signal }) => [await createTag(api, parameters.name('name'), signal)],
};
