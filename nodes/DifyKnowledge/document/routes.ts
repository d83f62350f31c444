import { documentRoutes } from '../../../lib/dify/knowledge/routes';
import type { DocumentStatus } from '../../../lib/dify/knowledge/documents';
import { pagingFields } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import { knowledgeOperation, readText } from '../../shared/dify/route-operation';
import { choiceField, choices, optionsCollection } from '../../shared/field-kinds';
import { documentField, documentIdIn, keywordField } from '../fields';

export const documentGetAll = knowledgeOperation({
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many documents',
		description: 'Newest first',
	},
	fields: [
		datasetField,
		keywordField,
		...pagingFields,
		optionsCollection([
			choiceField('Status', 'status', 'available', {
				options: choices({
					archived: 'Archived',
					available: ['Available', 'Indexed and enabled'],
					disabled: 'Disabled',
					error: 'Error',
					indexing: 'Indexing',
					paused: 'Paused',
					queuing: 'Queuing',
				}),
			}),
		]),
	],
	route: documentRoutes.list,
	values: {
		dataset_id: datasetIdIn,
		keyword: readText('keyword'),
		status: (parameters) => parameters.choice<DocumentStatus>('options.status', undefined),
	},
});

export const documentGet = knowledgeOperation({
	option: {
		name: 'Get',
		value: 'get',
		action: 'Get a document',
		description: 'With its rules and its metadata',
	},
	fields: [datasetField, documentField],
	route: documentRoutes.get,
	values: { dataset_id: datasetIdIn, document_id: documentIdIn, metadata: () => 'all' },
});
