import type { INodeListSearchResult } from 'n8n-workflow';

import { basesOf, documentsOf } from '../../../lib/dify/knowledge/documents';
import { modelsIn } from '../../../lib/dify/knowledge/models';
import { listIn, readPage, type ListEndpoint } from '../../../lib/dify/pagination';
import { nonEmptyText, optional, type JsonRecord } from '../../../lib/values';
import { baseInEditor, editorList, matching, type ListSearchCall } from './list-search';

/** The page of a list, with what stands behind the name of each record. */
async function pageOfNames(
	{ client, token }: ListSearchCall,
	list: ListEndpoint,
	remark: (record: JsonRecord) => string,
): Promise<INodeListSearchResult> {
	const { records, next } = await readPage(client, list, { at: Number(token ?? 1) });
	const results = records.map((record) => ({
		name: `${nonEmptyText(record.name) ?? String(record.id)}${remark(record)}`,
		value: String(record.id),
	}));
	return { results, ...optional({ paginationToken: next?.toString() }) };
}

const TECHNIQUES: Readonly<Record<string, string>> = { high_quality: '', economy: ' (keywords)' };

/** All knowledge bases of the workspace, including those of colleagues. Dify filters them. */
export const searchKnowledgeBases = editorList(
	async (call) =>
		await pageOfNames(
			call,
			basesOf(call.filter),
			({ indexing_technique: technique }) => TECHNIQUES[String(technique)] ?? ' (empty)',
		),
);

/** Documents of the base in the node, newest first. Dify filters them, case-sensitively. */
export const searchDocuments = editorList(
	async (call) =>
		await pageOfNames(
			call,
			documentsOf(baseInEditor(call.context), call.filter),
			({ display_status: status }) => (status === 'available' ? '' : ` (${String(status)})`),
		),
);

export const searchEmbeddingModels = editorList(async ({ client, filter }) => {
	const { data } = await client.get('/workspaces/current/models/model-types/text-embedding');
	return matching(modelsIn(listIn(data)), filter);
});
