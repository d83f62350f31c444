import { getDocument, setStatus, type StatusAction } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, choices } from '../../shared/field-kinds';
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
			options: choices({
				archive: 'Archive',
				disable: ['Disable', 'Searches do not find it any more, but it stays'],
				enable: 'Enable',
				un_archive: 'Unarchive',
			}),
		}),
	],
	run: async ({ api, parameters }) => {
		const baseId = datasetIdIn(parameters);
		const ids = documentIdsIn(parameters);
		const action = parameters.choice<StatusAction>('statusAction');
		// Dify passes over a document that it does not have, without a word.
		for (const id of ids) await getDocument(api, baseId, id, 'without');
		await setStatus(api, baseId, ids, action);
		return itemsOf(ids.map((documentId) => ({ documentId, action })));
	},
};
