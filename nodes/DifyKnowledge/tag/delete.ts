import { deleteTag } from '../../../lib/dify/knowledge/tags';
import type { DifyOperation } from '../../shared/dify/run';
import { idIn } from '../fields';
import { tagField } from './fields';

export const tagDelete: DifyOperation = {
	option: { name: 'Delete', value: 'delete', action: 'Delete a tag' },
	fields: [tagField],
	run: async ({ api, parameters }) => {
		const tagId = idIn(parameters, 'tagId');
		return [{ json: { tagId, deleted: true, existed: await deleteTag(api, tagId) } }];
	},
};
