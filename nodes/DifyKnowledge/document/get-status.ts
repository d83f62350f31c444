import { progressOf, waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import { optional } from '../../../lib/values';
import { datasetField, datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { optionsCollection, stringField } from '../../shared/field-kinds';
import { documentField, documentIdIn, waitField } from '../fields';

export const documentGetStatus: DifyOperation = {
	option: {
		name: 'Get Status',
		value: 'getStatus',
		action: 'Get the status of a document',
		description: 'How far the indexing has come; can wait until it is done',
	},
	fields: [
		datasetField,
		documentField,
		waitField,
		optionsCollection([
			stringField('Batch', 'batch', {
				default: '={{ $json.batch }}',
				description:
					'The batch that Create or Update gave. With it, the status says how many chunks are indexed.',
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const datasetId = datasetIdIn(parameters);
		const documentId = documentIdIn(parameters);
		const indexing = { documentId, batch: parameters.name('options.batch') || undefined };
		const limitMs = parameters.milliseconds('wait', 300_000);
		const { status, done, total, error } =
			limitMs === 0
				? await progressOf(api, datasetId, indexing)
				: await waitForIndexing(api, datasetId, indexing, { limitMs });
		const chunks = { chunksDone: done, chunks: total };
		return [{ json: { documentId, indexingStatus: status, ...chunks, ...optional({ error }) } }];
	},
};
