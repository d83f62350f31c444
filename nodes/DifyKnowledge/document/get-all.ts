import { type DocumentStatus, listDocuments } from '../../../lib/dify/knowledge/documents';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, optionsCollection } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';
import { keywordField } from '../fields';

export const documentGetAll: DifyOperation = {
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
				options: [
					{ name: 'Archived', value: 'archived' },
					{ name: 'Available', value: 'available', description: 'Indexed and enabled' },
					{ name: 'Disabled', value: 'disabled' },
					{ name: 'Error', value: 'error' },
					{ name: 'Indexing', value: 'indexing' },
					{ name: 'Paused', value: 'paused' },
					{ name: 'Queuing', value: 'queuing' },
				],
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const status = parameters.choice<DocumentStatus>('options.status', undefined);
		const filter = { keyword: parameters.freeText('keyword'), status };
		return itemsOf(await listDocuments(api, datasetIdIn(parameters), limitIn(parameters), filter));
	},
};
