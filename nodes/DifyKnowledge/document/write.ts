import { getDocument } from '../../../lib/dify/knowledge/documents';
import { waitForIndexing } from '../../../lib/dify/knowledge/indexing';
import {
	type DocumentContent,
	replaceContent,
	upsertDocument,
	type Upserted,
} from '../../../lib/dify/knowledge/upsert';
import { filled, optional } from '../../../lib/values';
import { datasetIdIn } from '../../shared/dify/knowledge-fields';
import type { DifyCall } from '../../shared/dify/run';
import type { OperationItem } from '../../shared/run/operations';
import { documentIdIn } from '../fields';
import { createOptionsIn, existsOptions } from './content-fields';

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

export const disabledOption = existsOptions.filter(({ name }) => name === 'ifDisabled');

export async function replaced(
	call: DifyCall,
	content: Parameters<typeof replaceContent>[3],
): Promise<OperationItem[]> {
	const { api, parameters } = call;
	const datasetId = datasetIdIn(parameters);
	const document = await getDocument(api, datasetId, documentIdIn(parameters), 'without');
	const options = createOptionsIn(parameters);
	return await finished(
		call,
		datasetId,
		await replaceContent(api, datasetId, document, content, options),
	);
}
