import { getDocument, setStatus, type StatusAction } from '../../../lib/dify/knowledge/documents';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, choices, numberField, optionsCollection } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';
import { documentIdsField, documentIdsIn } from './fields';

/** Longer than the lock of a change that runs. */
const LONG_WAIT_MS = 10_000;

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
		optionsCollection([
			numberField('Wait for Lock (Seconds)', 'lockWait', 660, {
				typeOptions: { minValue: 0 },
				description:
					'How long to wait where Dify has locked a document since its last change: two seconds as a rule, ten minutes where a worker was quick',
			}),
		]),
	],
	run: async ({ api, parameters, hint }) => {
		const baseId = datasetIdIn(parameters);
		const ids = documentIdsIn(parameters);
		const action = parameters.choice<StatusAction>('statusAction');
		const limitMs = parameters.milliseconds('options.lockWait', 660_000);
		// Dify passes over a document that it does not have, without a word.
		for (const id of ids) await getDocument(api, baseId, id, 'without');
		const waitedMs = await setStatus(api, baseId, ids, action, limitMs);
		if (waitedMs >= LONG_WAIT_MS)
			hint(
				`Dify had locked a document since its last change, so the node waited ${Math.round(waitedMs / 1000)} s.`,
			);
		return itemsOf(ids.map((documentId) => ({ documentId, action })));
	},
};
