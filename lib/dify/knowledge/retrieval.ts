/** Searches a knowledge base. */
import type { JsonRecord } from '../../values/records';
import {
	asArray,
	omitEmpty,
	isRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
} from '../../values/records';
import { asFiniteNumber } from '../../values/numbers';
import type { DifyClient } from '../client';
import { apiPath } from '../api-path';
import { createLocalError } from '../create-error';
import { parseRecords } from '../pages';
import { parseMetadata } from './document-metadata';
import { WRITE_TIMEOUT_MS } from './write-requests';
import type { Filter } from './filters';
import { compileFilter } from './filters';

/** Characters. Dify rejects longer queries (docs/protocols/dify.md 2.13). */
const MAX_QUERY_LENGTH = 250;
/** Dify's default for new knowledge bases. */
const DEFAULT_TOP_K = 4;

export interface RetrievalOptions {
	/** Max number of chunks. */
	topK?: number;
	/** Chunks with a lower score are omitted, in vector search and reranking. */
	scoreThreshold?: number;
	filter?: Filter;
}

export interface RetrievalRequest extends RetrievalOptions {
	datasetId: string;
	/** At most 250 characters. */
	query: string;
}

interface ChildChunk {
	content: string;
	score?: number;
}

/** A retrieved chunk. */
export interface Hit {
	/** Question and answer of a Q&A chunk, the parent of a child chunk. */
	content: string;
	/** Name of the document. */
	title: string;
	/** 0 for keyword search. */
	score: number;
	documentId: string | undefined;
	segmentId: string | undefined;
	summary: string | undefined;
	/** Metadata of the document, by name. */
	metadata: JsonRecord;
	/** Matching child chunks, best first. */
	childChunks?: ChildChunk[];
	/** As Dify sends them. */
	files?: unknown[];
}

export interface RetrievalResult {
	/** In Dify's order, best first, possibly none. */
	hits: Hit[];
	/** As Dify sends them. */
	records: JsonRecord[];
	/** Number of omitted records that did not match the filter. */
	filteredOut: number;
}

/**
 * Searches a knowledge base.
 *
 * @throws {ServerError} also for an external knowledge base, and if an operator of the filter does not fit its field
 */
export async function retrieve(
	client: DifyClient,
	{ datasetId, query, ...settings }: RetrievalRequest,
): Promise<RetrievalResult> {
	const compiledFilter = settings.filter && compileFilter(settings.filter);
	const dataset = await client.getCached(apiPath`/datasets/${datasetId}`);
	assertSearchable(dataset);
	compiledFilter?.assertFits(dataset.doc_metadata);
	const model = {
		...buildRetrievalModel(dataset, settings),
		metadata_filtering_conditions: compiledFilter?.body,
	};
	const response = await client.requestJson('POST', apiPath`/datasets/${datasetId}/retrieve`, {
		json: { query, retrieval_model: model },
		timeoutMs: WRITE_TIMEOUT_MS,
		isIdempotent: true,
	});
	const allRecords = parseRecords(asRecord(response).records);
	const matching = allRecords.filter(
		(record) => compiledFilter?.matches(getMetadata(record)) !== false,
	);
	// Keyword search can return more than the limit.
	const records = matching.slice(0, settings.topK);
	return {
		hits: records.flatMap(toHits),
		records,
		filteredOut: allRecords.length - matching.length,
	};
}

/** Dify's API answers a search of an external knowledge base without asking its system: nothing is ever found. */
function assertSearchable({ provider, name }: JsonRecord) {
	if (provider !== 'external') return;
	throw createLocalError('datasetRejected', {
		title: `The knowledge base "${String(name)}" is external: Dify does not search it through its API`,
		suggestion:
			'Its texts are in another system. Search that system directly, or call a Dify app that uses the knowledge base.',
	});
}

/** Warning about records that did not match; undefined if all did. */
export function getIgnoredFilterWarning(filteredOut: number): string | undefined {
	if (filteredOut === 0) return undefined;
	return `Dify returned ${filteredOut} record(s) that do not match the metadata filter; they were removed. This version of Dify ignores filters (as 1.13.3 does): update Dify.`;
}

/** The complete search settings, since Dify fails with partial ones. Defaults are those of the knowledge base. */
function buildRetrievalModel(dataset: JsonRecord, settings: RetrievalOptions) {
	const stored = asRecord(dataset.retrieval_model_dict);
	const isStored = stored.score_threshold_enabled === true;
	const threshold =
		settings.scoreThreshold ?? (isStored ? asFiniteNumber(stored.score_threshold) : undefined);
	return {
		search_method: getSearchMethod(dataset, asNonEmptyString(stored.search_method)),
		top_k: settings.topK ?? asFiniteNumber(stored.top_k) ?? DEFAULT_TOP_K,
		score_threshold_enabled: threshold !== undefined,
		score_threshold: threshold,
		...toRerankingFields(stored),
	};
}

function getSearchMethod({ indexing_technique: technique }: JsonRecord, stored?: string) {
	// Without vectors, only keyword search returns results.
	if (technique === 'economy') return 'keyword_search';
	// Placeholder of a knowledge base without documents, which must not be sent back (docs/protocols/dify.md 12.3).
	return stored === undefined || stored === 'keyword_search' ? 'semantic_search' : stored;
}

function toRerankingFields({
	reranking_enable: enabled,
	reranking_mode: mode,
	reranking_model: model,
	weights,
}: JsonRecord) {
	const hasModel = asNonEmptyString(asRecord(model).reranking_model_name) !== undefined;
	return {
		reranking_enable: enabled === true,
		reranking_mode: asNonEmptyString(mode),
		reranking_model: hasModel ? model : undefined,
		weights: isRecord(weights) ? weights : undefined,
	};
}

function getMetadata({ segment }: JsonRecord) {
	return parseMetadata(asRecord(asRecord(segment).document).doc_metadata);
}

/** The retrieved chunk of a record; none if it has no text. */
function toHits(record: JsonRecord): Hit[] {
	const segment = asRecord(record.segment);
	const document = asRecord(segment.document);
	// The content of a Q&A chunk is only the question.
	const content = [segment.content, segment.answer].filter(asNonEmptyString).join('\n');
	if (content === '') return [];
	const childChunks = asRecords(record.child_chunks).map(({ content: childContent, score }) => ({
		content: asNonEmptyString(childContent) ?? '',
		...omitUndefined({ score: asFiniteNumber(score) }),
	}));
	return [
		{
			content,
			title: asNonEmptyString(document.name) ?? '',
			score: asFiniteNumber(record.score) ?? 0,
			documentId: asNonEmptyString(segment.document_id) ?? asNonEmptyString(document.id),
			segmentId: asNonEmptyString(segment.id),
			summary: asNonEmptyString(record.summary),
			metadata: getMetadata(record),
			...omitEmpty({ childChunks, files: asArray(record.files) }),
		},
	];
}

interface TruncatedQuery {
	query: string;
	isTruncated: boolean;
}

/** Truncates a query to Dify's maximum, at a word if possible. */
export function truncateQuery(query: string): TruncatedQuery {
	// A character has two units at most.
	const characters = [...query.trim().slice(0, 2 * MAX_QUERY_LENGTH + 2)];
	if (characters.length <= MAX_QUERY_LENGTH) return { query: query.trim(), isTruncated: false };
	const head = characters.slice(0, MAX_QUERY_LENGTH).join('');
	const isWordEnd = /\s/.test(characters[MAX_QUERY_LENGTH] ?? '');
	const atWord = isWordEnd ? head : head.replace(/\s\S*$/, '').trimEnd();
	return { query: (atWord.length < head.length / 2 ? head : atWord).trim(), isTruncated: true };
}
