/** Supplies a retriever over knowledge bases of Dify. */
import type { ISupplyDataFunctions, SupplyData } from 'n8n-workflow';
import { NodeConnectionTypes } from 'n8n-workflow';
import { openDifyClient } from '../../lib/dify/credentials';
import { toRetrievalOptions } from '../shared/dify/search-fields';
import { supplySubNode } from '../shared/items/sub-node';
import { fields } from './fields';
import type { DifyClient } from '../../lib/dify/client';
import type { Hit, RetrievalOptions } from '../../lib/dify/knowledge/retrieval';
import {
	getIgnoredFilterWarning,
	retrieve,
	truncateQuery,
} from '../../lib/dify/knowledge/retrieval';
import { anySignal } from '../../lib/http/abort';
import type { JsonRecord } from '../../lib/values/records';
import type { SubNodeLog } from '../../lib/n8n/sub-node-log';

interface RetrieverOptions {
	client: DifyClient;
	/** The knowledge bases to search. */
	datasetIds: readonly string[];
	search: RetrievalOptions;
	log: SubNodeLog;
}

/** Metadata of a document in Dify, and where the chunk is from. */
interface ChunkMetadata extends JsonRecord {
	/** 0 for keyword search. */
	score: number;
	/** Name of the document. */
	source: string;
	documentId: string | undefined;
	segmentId: string | undefined;
	datasetId: string;
}

/** A document chunk in LangChain's format. */
interface RetrievedDocument {
	pageContent: string;
	metadata: ChunkMetadata;
}

interface InvokeConfig {
	signal?: AbortSignal;
}

/**
 * What n8n's chains use of a retriever. They require no LangChain class, only these fields (RunnableSequence checks
 * `lc_runnable`).
 */
export interface SuppliedRetriever {
	lc_runnable: true;
	lc_namespace: string[];
	/**
	 * Searches all knowledge bases.
	 *
	 * @param text the question. An expression may return any type
	 * @returns the best chunks of all knowledge bases, best first
	 */
	invoke(text: unknown, config?: InvokeConfig): Promise<RetrievedDocument[]>;
}

/** The retriever of an item, with the fields as they are for it. */
export async function supplyRetriever(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	const place = { context, connection: NodeConnectionTypes.AiRetriever, itemIndex };
	return await supplySubNode(place, async (subNode) => {
		const client = await openDifyClient(context, 'knowledge', itemIndex);
		const values = subNode.readValues(fields);
		const { difyDatasetIds: datasetIds } = values;
		const search = toRetrievalOptions(values);
		return { response: createRetriever({ client, datasetIds, search, log: subNode.log }) };
	});
}

/** A retriever for n8n's chains. Its searches are in the log of the sub-node. */
const MAX_LOGGED_LENGTH = 200;

/** Creates the retriever of one item. */
export function createRetriever(options: RetrieverOptions): SuppliedRetriever {
	const { log } = options;
	return {
		lc_runnable: true,
		lc_namespace: ['n8n-nodes-local-llama', 'retrievers'],
		invoke: async (text, config) => {
			const { query, isTruncated } = truncateQuery(String(text ?? ''));
			if (isTruncated) log.hint('A question was truncated to 250 characters, the maximum in Dify.');
			return await log.call({
				input: { query },
				run: async (execution) => {
					const signal = anySignal(config?.signal, execution);
					return await searchAll(options, query, signal);
				},
				output: (documents) => ({ documents: documents.map(toLogEntry) }),
			});
		},
	};
}

/** Searches the knowledge bases one after another. */
async function searchAll(
	{ client, datasetIds, search, log }: RetrieverOptions,
	query: string,
	signal: AbortSignal | undefined,
) {
	const abortableClient = client.withSignal(signal);
	const documents: RetrievedDocument[] = [];
	let filteredOut = 0;
	for (const datasetId of datasetIds) {
		const result = await retrieve(abortableClient, { datasetId, query, ...search });
		filteredOut += result.filteredOut;
		for (const hit of result.hits) documents.push(toDocument(hit, datasetId));
	}
	const warning = getIgnoredFilterWarning(filteredOut);
	if (warning !== undefined) log.hint(warning);
	// Hits of a keyword search have score 0, so they come last.
	documents.sort((a, b) => b.metadata.score - a.metadata.score);
	return documents.slice(0, search.topK);
}

function toDocument(
	{ content, title: source, score, documentId, segmentId, metadata }: Hit,
	datasetId: string,
): RetrievedDocument {
	return {
		pageContent: content,
		metadata: { ...metadata, score, source, documentId, segmentId, datasetId },
	};
}

function toLogEntry({ pageContent, metadata: { source, score } }: RetrievedDocument) {
	return { source, score, text: pageContent.slice(0, MAX_LOGGED_LENGTH) };
}
