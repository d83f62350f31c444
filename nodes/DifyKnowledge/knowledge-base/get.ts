import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';

export const knowledgeBaseGet: DifyOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a knowledge base' },
	fields: [datasetField],
	run: async ({ api, parameters }) => [
		{ json: await api.get(`/datasets/${datasetIdIn(parameters)}`) },
	],
};
