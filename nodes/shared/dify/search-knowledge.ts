import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import { listModels, type ModelType } from '../../../lib/dify/knowledge/models';
import { fileNodes } from '../../../lib/dify/knowledge/pipelines';
import { techniqueOf } from '../../../lib/dify/knowledge/records';
import { baseRoutes, documentRoutes } from '../../../lib/dify/knowledge/routes';
import { localError } from '../../../lib/dify/errors/failure';
import { optionalUuid } from '../../../lib/dify/ids';
import type { PagedRoute, ValuesOf } from '../../../lib/dify/routes';
import { nonEmptyText, optional, type JsonRecord } from '../../../lib/values';
import { editorList, editorValue, matching, type ListCall } from './editor';

type KnowledgeCall = ListCall & { api: KnowledgeApi };

const knowledgeList = (list: (call: KnowledgeCall) => Promise<INodeListSearchResult>) =>
	editorList(async (call) => await list({ ...call, api: new KnowledgeApi(call.client) }));

/** The page of a list, with a name for each record. */
async function pageOfNames<R extends PagedRoute>(
	{ api, token }: KnowledgeCall,
	route: R,
	values: ValuesOf<R>,
	nameOf: (record: JsonRecord) => string,
): Promise<INodeListSearchResult> {
	const page = Number(token ?? 1);
	const { records, more } = await api.page(route, values, page);
	const results = records.map((record) => ({ name: nameOf(record), value: String(record.id) }));
	return { results, ...optional({ paginationToken: more ? String(page + 1) : undefined }) };
}

/** All knowledge bases of the workspace, including those of colleagues. Dify filters them. */
export const searchKnowledgeBases = knowledgeList(
	async (call) =>
		await pageOfNames(call, baseRoutes.list, { keyword: call.filter }, (base) => {
			const technique = { high_quality: '', economy: ' (keywords)', none: ' (empty)' }[
				techniqueOf(base) ?? 'none'
			];
			return `${nonEmptyText(base.name) ?? String(base.id)}${technique}`;
		}),
);

function baseIn(context: ILoadOptionsFunctions): string {
	const id = optionalUuid(editorValue(context, 'difyDatasetId'), 'knowledge base ID');
	if (id !== undefined) return id;
	throw localError(
		'invalidId',
		'The list needs a knowledge base',
		'Choose the knowledge base first.',
	);
}

/** Documents of the base in the node, newest first. Dify filters them, case-sensitively. */
export const searchDocuments = knowledgeList(
	async (call) =>
		await pageOfNames(
			call,
			documentRoutes.list,
			{ dataset_id: baseIn(call.context), keyword: call.filter },
			({ name, display_status: status, id }) =>
				`${nonEmptyText(name) ?? String(id)}${status === 'available' ? '' : ` (${String(status)})`}`,
		),
);

/** Nodes for files of the pipeline that the base in the node was made with. */
export const searchDatasources = knowledgeList(async ({ api, context, filter }) => {
	const nodes = await fileNodes(api, baseIn(context));
	return matching(
		nodes.map(({ id, title }) => ({ name: title, value: id })),
		filter,
	);
});

function modelSearch(type: ModelType) {
	return knowledgeList(async ({ api, filter }) => {
		const models = await listModels(api, type);
		return matching(
			models.map(({ label, providerLabel, status, value }) => ({
				name: `${label} (${providerLabel}${status === 'active' ? '' : `, ${status}`})`,
				value,
			})),
			filter,
		);
	});
}

export const searchEmbeddingModels = modelSearch('text-embedding');
export const searchRerankModels = modelSearch('rerank');
