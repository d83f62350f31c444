import type { INodeListSearchResult } from 'n8n-workflow';

import { buildDatasetList, buildDocumentList } from '../../../lib/dify/knowledge/documents';
import { toModelOptions } from '../../../lib/dify/knowledge/models';
import { parseRecords, fetchPage, type ListEndpoint } from '../../../lib/dify/pagination';
import { asNonEmptyString, omitUndefined, type JsonRecord } from '../../../lib/values';
import {
	readEditorDatasetId,
	createListSearch,
	filterByName,
	type ListSearchCall,
} from './list-search';

/** A page of a list, with a suffix after each name. */
async function fetchNamedPage(
	{ client, token }: ListSearchCall,
	list: ListEndpoint,
	getSuffix: (record: JsonRecord) => string,
): Promise<INodeListSearchResult> {
	const { records, next } = await fetchPage(client, list, { at: Number(token ?? 1) });
	const results = records.map((record) => ({
		name: `${asNonEmptyString(record.name) ?? String(record.id)}${getSuffix(record)}`,
		value: String(record.id),
	}));
	return { results, ...omitUndefined({ paginationToken: next?.toString() }) };
}

const TECHNIQUES: Readonly<Record<string, string>> = { high_quality: '', economy: ' (keywords)' };

/** All knowledge bases of the workspace, including those of other members. Dify filters them. */
export const searchKnowledgeBases = createListSearch(
	async (call) =>
		await fetchNamedPage(
			call,
			buildDatasetList(call.filter),
			({ indexing_technique: technique }) => TECHNIQUES[String(technique)] ?? ' (empty)',
		),
);

/** Documents of the selected knowledge base, newest first. Dify filters them, case-sensitively. */
export const searchDocuments = createListSearch(
	async (call) =>
		await fetchNamedPage(
			call,
			buildDocumentList(readEditorDatasetId(call.context), call.filter),
			({ display_status: status }) => (status === 'available' ? '' : ` (${String(status)})`),
		),
);

export const searchEmbeddingModels = createListSearch(async ({ client, filter }) => {
	const { data } = await client.get('/workspaces/current/models/model-types/text-embedding');
	return filterByName(toModelOptions(parseRecords(data)), filter);
});
