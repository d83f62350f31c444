import { deleteTag } from '../../../lib/dify/knowledge/tags';
import type { KnowledgeOperation } from '../call';
import { idIn } from '../fields';
import { tagField } from './fields';

export const tagDelete: KnowledgeOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a tag' },
	fields: [tagField],
	run: async ({ api, parameters, signal }) => {
		const tagId = idIn(parameters, 'tagId');
		return [{ tagId, deleted: true, existed: await deleteTag(api, tagId, signal) }];
	},
};
