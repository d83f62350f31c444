import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import { baseQuery, techniqueOf } from '../../../lib/dify/knowledge/bases';
import { listDatasources } from '../../../lib/dify/knowledge/datasources';
import { metadataFields } from '../../../lib/dify/knowledge/metadata';
import { listModels, type ModelType } from '../../../lib/dify/knowledge/models';
import { pageOf, type PagedList } from '../../../lib/dify/knowledge/pages';
import { listTags } from '../../../lib/dify/knowledge/tags';
import { refusedHere } from '../../../lib/dify/failure';
import { optionalUuid } from '../../../lib/dify/ids';
import { nonEmptyText, type JsonRecord } from '../../../lib/values';
import { listError } from '../list-error';
import { editorClient } from './apps';
import { editorValue } from './search-conversations';

type Results = INodeListSearchResult['results'];
type Search = (
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
) => Promise<INodeListSearchResult>;

/** A list in the editor, whose failure says what to do. */
function searchOf(
	list: (
		api: KnowledgeApi,
		context: ILoadOptionsFunctions,
		filter: string,
		page: number,
	) => Promise<{ results: Results; more?: boolean }>,
): Search {
	return async function (this: ILoadOptionsFunctions, filter, paginationToken) {
		try {
			const page = Number(paginationToken ?? 1);
			const api = new KnowledgeApi(await editorClient(this));
			const { results, more } = await list(api, this, filter?.trim() ?? '', page);
			return { results, ...(more === true ? { paginationToken: String(page + 1) } : {}) };
		} catch (error) {
			throw listError(this.getNode(), error);
		}
	};
}

async function pageOfNames(
	api: KnowledgeApi,
	list: PagedList,
	page: number,
	nameOf: (record: JsonRecord) => string,
): Promise<{ results: Results; more: boolean }> {
	const { records, more } = await pageOf(api, list, page);
	return { results: records.map((record) => ({ name: nameOf(record), value: String(record.id) })), more };
}

/** All knowledge bases of the workspace, those of colleagues too. Dify searches. */
export const searchKnowledgeBases = searchOf(
	async (api, _context, filter, page) =>
		await pageOfNames(api, { path: '/datasets', query: baseQuery(filter) }, page, (base) => {
			const technique = { high_quality: '', economy: ' (keywords)', none: ' (empty)' }[techniqueOf(base) ?? 'none'];
			return `${nonEmptyText(base.name) ?? String(base.id)}${technique}`;
		}),
);

function baseIn(context: ILoadOptionsFunctions): string {
	const id = optionalUuid(editorValue(context, 'difyDatasetId'), 'knowledge base ID');
	if (id !== undefined) return id;
	throw refusedHere('invalidId', 'The list needs a knowledge base', 'Choose the knowledge base first.');
}

/** Documents of the base in the node, newest first. Dify searches, with upper and lower case. */
export const searchDocuments = searchOf(
	async (api, context, filter, page) =>
		await pageOfNames(
			api,
			{ path: `/datasets/${baseIn(context)}/documents`, query: { keyword: filter } },
			page,
			({ name, display_status: status, id }) =>
				`${nonEmptyText(name) ?? String(id)}${status === 'available' ? '' : ` (${String(status)})`}`,
		),
);

function fitting(results: Results, filter: string): { results: Results } {
	const wanted = filter.toLowerCase();
	return { results: results.filter(({ name }) => name.toLowerCase().includes(wanted)) };
}

/** Metadata fields of the base in the node. */
export const searchMetadataFields = searchOf(async (api, context, filter) => {
	const { fields } = await metadataFields(api, baseIn(context));
	return fitting(
		fields.map(({ id, name, type }) => ({ name: `${name} (${type})`, value: id })),
		filter,
	);
});

/** Datasources of the pipeline that the base in the node was made with. */
export const searchDatasources = searchOf(async (api, context, filter) => {
	const published = editorValue(context, 'pipelineVersion') !== 'draft';
	const found = await listDatasources(api, baseIn(context), { published });
	return fitting(
		found.map(({ nodeId, title, type }) => ({ name: `${title} (${type.replace('_', ' ')})`, value: nodeId })),
		filter,
	);
});

export const searchTags = searchOf(async (api, _context, filter) => {
	const tags = await listTags(api);
	return fitting(
		tags.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) })),
		filter,
	);
});

function modelSearch(type: ModelType): Search {
	return searchOf(async (api, _context, filter) => {
		const models = await listModels(api, type);
		return fitting(
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
