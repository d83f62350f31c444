import { getDocument } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { documentField, documentIdIn } from '../fields';

export const documentGet: DifyOperation = {
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a document',
		description: 'With its rules and its metadata',
	},
	fields: [datasetField, documentField],
	run: async ({ api, parameters }) => [
		{ json: await getDocument(api, datasetIdIn(parameters), documentIdIn(parameters), 'all') },
	],
};
