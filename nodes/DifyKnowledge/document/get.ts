import { getDocument } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { KnowledgeOperation } from '../call';
import { documentField, documentIdIn } from '../fields';

export const documentGet: KnowledgeOperation = {
	option: { name: 'Get', value: 'get', action: 'Get a document', description: 'With its rules and its metadata' },
	fields: [datasetField, documentField],
	run: async ({ api, parameters, signal }) => [
		await getDocument(api, datasetIdIn(parameters), documentIdIn(parameters), 'all', signal),
	],
};
