import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from '../call';

export const baseGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a knowledge base' },
	fields: [datasetField],
	run: async ({ api, parameters, signal }) => [await api.get(`/datasets/${datasetIdIn(parameters)}`, { signal })],
};
