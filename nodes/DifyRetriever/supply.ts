import {
	NodeConnectionTypes,
	type IDataObject,
	type ISupplyDataFunctions,
	type SupplyData,
} from 'n8n-workflow';

import { CachedDifyAccess } from '../../lib/dify/access';
import { createDifyClient } from '../../lib/dify/credentials';
import { parseUuid } from '../../lib/dify/ids';
import {
	truncateQuery,
	getIgnoredFilterWarning,
	retrieve,
	type Hit,
	type RetrievalOptions,
} from '../../lib/dify/knowledge/retrieval';
import { readRetrievalOptions } from '../shared/dify/knowledge-fields';
import { isUnset, NodeParameters, createFieldError } from '../shared/parameters';
import { FAILED_LIST } from '../shared/list-entries';
import { supplySubNode, type SubNodeLog } from '../shared/sub-node-log';
import { properties } from './fields';

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
	search: RetrievalOptions & { topK: number };
}

export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplySubNode(context, NodeConnectionTypes.AiRetriever, itemIndex, async (log) => {
		const credentials = await context.getCredentials('difyApi', itemIndex);
		const app = new CachedDifyAccess(createDifyClient(credentials, context.helpers));
		const settings = readSettings(new NodeParameters(context, itemIndex, properties));
		return { response: createLoggedRetriever(app, settings, log) };
	});
}

function readSettings(parameters: NodeParameters): Settings {
	const chosen = [parameters.value('difyDatasetIds')].flat().filter((id) => !isUnset(id));
	if (chosen.includes(FAILED_LIST))
		throw createFieldError(
			'Knowledge Base Names or IDs',
			'contains the error message of a list that could not be loaded',
			'Remove this entry, reload the list, and select a knowledge base.',
		);
	const datasetIds = [...new Set(chosen.map((id) => parseUuid(id, 'knowledge base ID')))];
	if (datasetIds.length === 0)
		throw createFieldError(
			'Knowledge Base Names or IDs',
			'is empty',
			'Select at least one knowledge base.',
		);
	const search = readRetrievalOptions(parameters);
	return {
		datasetIds,
		search: { ...search, topK: search.topK ?? parameters.number('topK') },
	};
}

function createLoggedRetriever(
	app: CachedDifyAccess,
	settings: Settings,
	log: SubNodeLog,
): SuppliedRetriever {
	const search = async (typed: string, signal: AbortSignal | undefined) => {
		const { query, cut } = truncateQuery(typed);
		if (cut) log.hint('A question was truncated to 250 characters, the maximum in Dify.');
		return await log.call({
			input: { query },
			run: async (execution) => {
				const signals = [signal, execution].filter((each) => each !== undefined);
				const access = app.withSignal(AbortSignal.any(signals));
				const found: RetrievedHit[] = [];
				let misfits = 0;
				for (const datasetId of settings.datasetIds) {
					const one = await retrieve(access, datasetId, query, settings.search);
					misfits += one.filteredOut;
					for (const hit of one.hits) found.push({ ...hit, datasetId });
				}
				const remark = getIgnoredFilterWarning(misfits);
				if (remark !== undefined) log.hint(remark);
				// Hits of a keyword search have score 0, so they come last.
				found.sort((one, other) => other.score - one.score);
				return found.slice(0, settings.search.topK).map(documentOf);
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

interface RetrievedHit extends Hit {
	datasetId: string;
}

function documentOf({
	content,
	title,
	score,
	documentId,
	segmentId,
	datasetId,
	metadata,
}: RetrievedHit): RetrievedDocument {
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
