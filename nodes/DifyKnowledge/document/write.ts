import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import {
	type DocumentContent,
	upsertDocument,
	type Upserted,
} from '../../../lib/dify/knowledge/upsert';
import { filled, optional } from '../../../lib/values';
import { datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyCall } from '../../shared/dify/run';
import type { OperationItem } from '../../shared/run/operations';
import { createOptionsIn } from './content-fields';

/** Waits for the indexing, and returns the item. */
async function finished(
	{ api, parameters, hint }: DifyCall,
	datasetId: string,
	made: Upserted,
): Promise<OperationItem[]> {
	const { action, documentId, batch, document, remarks } = made;
	remarks.forEach(hint);
	const item = { action, documentId, datasetId, name: document.name, ...optional({ batch }) };
	const limitMs = parameters.milliseconds('wait', 300_000);
	if (action === 'skipped' || limitMs === 0)
		return [
			{
				json: {
					...item,
					indexingStatus: document.indexing_status,
					...filled({ warnings: remarks }),
				},
			},
		];
	const { status, total } = await waitForIndexing(
		api,
		datasetId,
		{ documentId, batch },
		{ limitMs },
	);
	const empty = total === 0 ? ['Dify made no chunks of the document, so no search finds it.'] : [];
	empty.forEach(hint);
	return [
		{
			json: {
				...item,
				indexingStatus: status,
				chunks: total,
				...filled({ warnings: [...remarks, ...empty] }),
			},
		},
	];
}

/** Creates a document, or updates the one of its name. */
export async function upserted(call: DifyCall, content: DocumentContent): Promise<OperationItem[]> {
	const { api, parameters } = call;
	const datasetId = datasetIdIn(parameters);
	const made = await upsertDocument(api, datasetId, content, createOptionsIn(parameters));
	return await finished(call, datasetId, made);
}
