/** Supplies a retriever over knowledge bases of Dify. */
import type { SupplyData } from 'n8n-workflow';
import type {
	ISupplyDataFunctions,
	ILoadOptionsFunctions,
	INodePropertyOptions,
} from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { anySignal } from '../../lib/http/sleep';
import { openDifyClient } from '../../lib/dify/credentials';
import type { Hit, RetrievalOptions } from '../../lib/dify/knowledge/retrieval';
import {
	truncateQuery,
	getIgnoredFilterWarning,
	retrieve,
} from '../../lib/dify/knowledge/retrieval';
import { readRetrievalOptions } from '../shared/dify/retrieval-fields';
import { NodeParameters } from '../shared/parameters';
import { FAILED_LIST, createFailedListEntry, toListEntries } from '../shared/list-entries';
import type { SubNodeLog } from '../shared/sub-node-log';
import { supplySubNode } from '../shared/sub-node-log';
import { buildDatasetList } from '../../lib/dify/knowledge/documents';
import type { DifyClient } from '../../lib/dify/client';
import { fetchAllPages, parseUuid } from '../../lib/dify/client';
import { isUnset } from '../../lib/values/records';
import { readEditorValue, toRecordEntry } from '../shared/dify/editor-lists';
import { properties } from './fields';

const MAX_LOGGED_LENGTH = 200;

export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplySubNode(context, NodeConnectionTypes.AiRetriever, itemIndex, async (log) => {
		const client = await openDifyClient(context, 'knowledge', itemIndex);
		const parameters = new NodeParameters(context, itemIndex, properties);
		const datasetIds = readDatasetIds(parameters);
		return {
			response: createLoggedRetriever(client, datasetIds, readRetrievalOptions(parameters), log),
		};
	});
}

function readDatasetIds(parameters: NodeParameters) {
	const selectedIds = [parameters.value('difyDatasetIds')].flat().filter((id) => !isUnset(id));
	if (selectedIds.includes(FAILED_LIST))
		throw parameters.createError(
			'difyDatasetIds',
			'contains the error message of a list that could not be loaded',
			'Remove this entry, reload the list, and select a knowledge base.',
		);
	if (selectedIds.length === 0)
		throw parameters.createError(
			'difyDatasetIds',
			'is empty',
			'Select at least one knowledge base.',
		);
	return [...new Set(selectedIds.map((id) => parseUuid(id, 'knowledge base ID')))];
}

export type SuppliedRetriever = ReturnType<typeof createLoggedRetriever>;

/**
 * Retriever for n8n's chains. They require no LangChain class, only these fields (RunnableSequence checks
 * `lc_runnable`).
 */
function createLoggedRetriever(
	client: DifyClient,
	datasetIds: readonly string[],
	search: RetrievalOptions,
	log: SubNodeLog,
): {
	lc_runnable: boolean;
	lc_namespace: string[];
	invoke: (
		text: unknown,
		config?: { signal?: AbortSignal },
	) => Promise<
		{
			pageContent: string;
			metadata: {
				score: number;
				source: string;
				documentId: string | undefined;
				segmentId: string | undefined;
				datasetId: string;
			};
		}[]
	>;
} {
	return {
		lc_runnable: true,
		lc_namespace: ['n8n-nodes-local-llama', 'retrievers'],
		invoke: async (
			text: unknown,
			config?: { signal?: AbortSignal },
		): Promise<
			{
				pageContent: string;
				metadata: {
					score: number;
					source: string;
					documentId: string | undefined;
					segmentId: string | undefined;
					datasetId: string;
				};
			}[]
		> => {
			// An expression may return any type.
			const { query, isTruncated } = truncateQuery(String(text ?? ''));
			if (isTruncated) log.hint('A question was truncated to 250 characters, the maximum in Dify.');
			return await log.call({
				input: { query },
				run: async (execution) => {
					const abortableClient = client.withSignal(anySignal(config?.signal, execution));
					const documents: Array<ReturnType<typeof toDocument>> = [];
					let filteredOut = 0;
					for (const datasetId of datasetIds) {
						const result = await retrieve(abortableClient, datasetId, query, search);
						filteredOut += result.filteredOut;
						for (const hit of result.hits) documents.push(toDocument(hit, datasetId));
					}
					const warning = getIgnoredFilterWarning(filteredOut);
					if (warning !== undefined) log.hint(warning);
					// Hits of a keyword search have score 0, so they come last.
					documents.sort((a, b) => b.metadata.score - a.metadata.score);
					return documents.slice(0, search.topK);
				},
				output: (documents) => ({
					documents: documents.map(({ pageContent, metadata: { source, score } }) => ({
						source,
						score,
						text: pageContent.slice(0, MAX_LOGGED_LENGTH),
					})),
				}),
			});
		},
	};
}

/** A document in LangChain's format. */
function toDocument(
	{ content, title: source, score, documentId, segmentId, metadata }: Hit,
	datasetId: string,
) {
	return {
		pageContent: content,
		metadata: { ...metadata, score, source, documentId, segmentId, datasetId },
	};
}

/** All searchable knowledge bases; if the list fails, an entry with the reason. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const client = await openDifyClient(this, 'knowledge');
		const datasets = await fetchAllPages(client, buildDatasetList());
		const options = datasets
			// Dify's API does not search external ones.
			.filter(({ provider }) => provider !== 'external')
			.map(toRecordEntry);
		return toListEntries(options);
	} catch (error) {
		return [createFailedListEntry(this.getNode(), error), ...getSelectedDatasets(this)];
	}
}

/** Entries for selected IDs; otherwise the editor shows them as "not supported". */
function getSelectedDatasets(context: ILoadOptionsFunctions): INodePropertyOptions[] {
	const ids = readEditorValue(context, 'difyDatasetIds');
	if (!Array.isArray(ids)) return [];
	return ids
		.map(String)
		.filter((id) => id !== FAILED_LIST)
		.map((id) => ({ name: id, value: id }));
}
