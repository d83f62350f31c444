import { tagsOf } from '../../../lib/dify/knowledge/tags';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from '../call';

export const tagGetOfBase: KnowledgeOperation = {
	option: { name: 'Get of a Knowledge Base', value: 'getOfBase', action: 'Get the tags of a knowledge base' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => await tagsOf(api, datasetIdIn(parameters), signal),
};
