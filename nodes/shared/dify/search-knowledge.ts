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

/** The page of a list, with what stands behind the name of each record. */
async function pageOfNames(
	{ client, token }: ListSearchCall,
	list: ListEndpoint,
	remark: (record: JsonRecord) => string,
): Promise<INodeListSearchResult> {
	const { records, next } = await fetchPage(client, list, { at: Number(token ?? 1) });
	const results = records.map((record) => ({
		name: `${asNonEmptyString(record.name) ?? String(record.id)}${remark(record)}`,
		value: String(record.id),
	}));
	return { results, ...omitUndefined({ paginationToken: next?.toString() }) };
}

const TECHNIQUES: Readonly<Record<string, string>> = { high_quality: '', economy: ' (keywords)' };

/** All knowledge bases of the workspace, including those of colleagues. Dify filters them. */
export const searchKnowledgeBases = createListSearch(
	async (call) =>
		await pageOfNames(
			call,
			buildDatasetList(call.filter),
			({ indexing_technique: technique }) => TECHNIQUES[String(technique)] ?? ' (empty)',
		),
);

/** Documents of the base in the node, newest first. Dify filters them, case-sensitively. */
export const searchDocuments = createListSearch(
	async (call) =>
		await pageOfNames(
			call,
			buildDocumentList(readEditorDatasetId(call.context), call.filter),
			({ display_status: status }) => (status === 'available' ? '' : ` (${String(status)})`),
		),
);

export const searchEmbeddingModels = createListSearch(async ({ client, filter }) => {
	const { data } = await client.get('/workspaces/current/models/model-types/text-embedding');
	return filterByName(toModelOptions(parseRecords(data)), filter);
});
