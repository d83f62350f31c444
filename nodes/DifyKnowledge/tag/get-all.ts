import { listTags } from '../../../lib/dify/knowledge/tags';
import type { KnowledgeOperation } from '../call';

export const tagGetAll: KnowledgeOperation = {
	option: { name: 'Get Many', value: 'getAll', action: 'Get many tags', description: 'All tags of the workspace' },
	fields: [],
	run: async ({ api, signal }) => await listTags(api, signal),
};
