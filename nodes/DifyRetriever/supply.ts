import {
	NodeConnectionTypes,
	type IDataObject,
	type ISupplyDataFunctions,
	type SupplyData,
} from 'n8n-workflow';

import { difyClient } from '../../lib/dify/credentials';
import { uuid } from '../../lib/dify/ids';
import { KnowledgeApi } from '../../lib/dify/knowledge/api';
import {
	cutQuery,
	mergedHits,
	retrieve,
	type Hit,
	type SearchSettings,
} from '../../lib/dify/knowledge/retrieve';
import { ServerError } from '../../lib/errors/server-error';
import { mapConcurrently } from '../../lib/servers/batches';
import { nonEmptyText, text } from '../../lib/values';
import { searchSettings } from '../shared/dify/knowledge-fields';
import { isBlank, wrongField } from '../shared/field-values';
import { FAILED_LIST } from '../shared/list-error';
import { NodeParameters } from '../shared/parameters';
import { supplied, type SubNodeLog } from '../shared/sub-node-log';
import { properties } from './fields';

/** Bases that are searched at the same time. */
const AT_ONCE = 4;

const MAX_SHOWN = 200;

/** A document in LangChain's form. */
interface RetrievedDocument {
	pageContent: string;
	metadata: Record<string, unknown>;
}

/**
 * What n8n's chains call. They need no LangChain class, only these marks of one (RunnableSequence checks
 * `lc_runnable`).
 */
export interface SuppliedRetriever {
	lc_runnable: true;
	lc_namespace: string[];
	invoke(query: unknown, config?: { signal?: AbortSignal }): Promise<RetrievedDocument[]>;
}

interface Settings {
	datasetIds: string[];
	search: SearchSettings & { topK: number };
}

export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplied(context, NodeConnectionTypes.AiRetriever, itemIndex, async (log) => {
		const credentials = await context.getCredentials('difyApi', itemIndex);
		const api = new KnowledgeApi(difyClient(credentials, context.helpers));
		const settings = readSettings(new NodeParameters(context, itemIndex, properties));
		return { response: loggedRetriever(api, settings, log) };
	});
}

function readSettings(parameters: NodeParameters): Settings {
	const chosen = [parameters.value('difyDatasetIds')].flat().filter((id) => !isBlank(id));
	if (chosen.includes(FAILED_LIST))
		throw wrongField(
			'Knowledge Base Names or IDs',
			'holds the message of a list that could not be loaded',
			'Remove this entry, load the list again, and choose a knowledge base.',
		);
	const datasetIds = [...new Set(chosen.map((id) => uuid(id, 'knowledge base ID')))];
	if (datasetIds.length === 0)
		throw wrongField(
			'Knowledge Base Names or IDs',
			'is empty',
			'Choose at least one knowledge base.',
		);
	const search = searchSettings(parameters);
	return {
		datasetIds,
		search: { ...search, topK: search.topK ?? parameters.number('topK') },
	};
}

function loggedRetriever(
	api: KnowledgeApi,
	settings: Settings,
	log: SubNodeLog,
): SuppliedRetriever {
	const search = async (typed: string, signal: AbortSignal | undefined) => {
		const { query, cut } = cutQuery(typed);
		if (cut) log.hint('A question was cut to 250 characters, which is all that Dify takes.');
		return await log.call({
			input: { query },
			run: async (execution) => {
				const signals = [signal, execution].filter((each) => each !== undefined);
				const hits = await searchAll(api.withSignal(AbortSignal.any(signals)), settings, query);
				return hits.map(documentOf);
			},
			output: shown,
		});
	};
	return {
		lc_runnable: true,
		lc_namespace: ['n8n-nodes-local-llama', 'retrievers'],
		invoke: async (query, config) => {
			// An expression may return any type.
			const typed = typeof query === 'string' ? query : String(query ?? '');
			return await search(typed, config?.signal);
		},
	};
}

interface Found extends Hit {
	datasetId: string;
}

/** Searches all bases. Best hits first. @throws where one of them cannot be searched */
async function searchAll(
	api: KnowledgeApi,
	{ datasetIds, search }: Settings,
	query: string,
): Promise<Found[]> {
	const lists = await mapConcurrently(
		datasetIds,
		AT_ONCE,
		api.client.signal,
		async (datasetId): Promise<Found[]> => {
			const { hits } = await retrieve(api, datasetId, query, search).catch(
				async (error: unknown) => {
					throw await withBaseName(api, datasetId, error, datasetIds.length > 1);
				},
			);
			return hits.map((hit) => ({ ...hit, datasetId }));
		},
	);
	return mergedHits(lists, search.topK);
}

/** Adds the name of the failed base, where there are several. */
async function withBaseName(
	api: KnowledgeApi,
	datasetId: string,
	error: unknown,
	isOneOfMany: boolean,
): Promise<unknown> {
	if (!(error instanceof ServerError) || !isOneOfMany) return error;
	const base = await api.base(datasetId).catch(() => ({ name: undefined }));
	const name = nonEmptyText(text(base.name)) ?? datasetId;
	const message = `${error.message} (knowledge base "${name}")`;
	return error.reworded({ message, meaning: `${error.meaning} (knowledge base "${name}")` });
}

function documentOf({
	content,
	title,
	score,
	documentId,
	segmentId,
	datasetId,
	metadata,
}: Found): RetrievedDocument {
	return {
		pageContent: content,
		metadata: { ...metadata, score, source: title, documentId, segmentId, datasetId },
	};
}

function shown(documents: RetrievedDocument[]): IDataObject {
	return {
		documents: documents.map(({ pageContent, metadata }) => ({
			source: String(metadata.source),
			score: Number(metadata.score),
			text: pageContent.slice(0, MAX_SHOWN),
		})),
	};
}
