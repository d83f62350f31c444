import { listTags } from '../../../lib/dify/knowledge/tags';
import type { DifyOperation } from '../../shared/dify/run';
import { itemsOf } from '../../shared/run/operations';

export const tagGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many tags',
		description: 'All tags of the workspace',
	},
	fields: [],
	run: async ({ api }) => itemsOf(await listTags(api)),
};
