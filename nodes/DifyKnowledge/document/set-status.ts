import { setStatus, type StatusAction } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';
import { documentIdsField, documentIdsIn } from './fields';

export const documentSetStatus: DifyOperation = {
	option: {
		name: 'Set Status',
		value: 'setStatus',
		action: 'Set the status of documents',
		description: 'Enable, disable, archive or unarchive: all of them or none',
	},
	fields: [
		datasetField,
		documentIdsField,
		choiceField('Action', 'statusAction', 'enable', {
			options: [
				{ name: 'Archive', value: 'archive' },
				{
					name: 'Disable',
					value: 'disable',
					description: 'Searches do not find it any more, but it stays',
				},
				{ name: 'Enable', value: 'enable' },
				{ name: 'Unarchive', value: 'un_archive' },
			],
		}),
	],
	run: async ({ api, parameters }) => {
		const ids = documentIdsIn(parameters);
		const action = parameters.choice<StatusAction>('statusAction');
		await setStatus(api, datasetIdIn(parameters), ids, action);
		return itemsOf(ids.map((documentId) => ({ documentId, action })));
	},
};
