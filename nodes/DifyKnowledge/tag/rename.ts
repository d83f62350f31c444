import { renameTag } from '../../../lib/dify/knowledge/tags';
import type { KnowledgeOperation } from '../call';
import { idIn } from '../fields';
import { nameField, tagField } from './fields';

export const tagRename: KnowledgeOperation = {
	option: { name: 'Rename', value: 'rename', action: 'Rename a tag' },
	fields: [tagField, { ...nameField, displayName: 'New Name' }],
	run: async ({ api, parameters, signal }) => [
		await renameTag(api, idIn(parameters, 'tagId'), parameters.name('name'), signal),
	],
};
