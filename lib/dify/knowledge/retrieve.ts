import { type ServerError, throwAs } from '../../errors/server-error';
import { finiteNumber, isRecord, type JsonRecord, nonEmptyText, optional, recordOf, recordsIn } from '../../values';
import { invalidParam, localError } from '../failure';
import type { KnowledgeApi } from './api';
import { isExternal, techniqueOf, type ModelRef } from './bases';
import { filterBody, type Filter } from './filters';

export type SearchMethod = 'semantic_search' | 'full_text_search' | 'hybrid_search' | 'keyword_search';

/** Dify refuses longer ones (docs/protocols/dify.md 2.13). */
export const MAX_QUERY = 250;

/** What a fresh base of Dify searches with. */
const DEFAULT_TOP_K = 4;

export interface SearchSettings {
	method?: SearchMethod;
	/** How many chunks at most. */
	topK?: number;
	/** Chunks with a lower score are left out; counts for vectors and for the reranker. */
	scoreThreshold?: number;
	/** `off`: the order of the search counts. Default: as in the base. */
	reranking?: 'off' | 'model' | 'weighted';
	rerankModel?: ModelRef;
	/** Between 0 and 1, for `weighted`: what the meaning counts, the rest is for the words. */
	semanticWeight?: number;
	filter?: Filter;
}

/** One chunk that fits a question. */
export interface Hit {
	/** The text; of a question with an answer both, of a child chunk its parent. */
	content: string;
	/** Name of the document. */
	title: string;
	/** 0 for a search by keywords. */
	score: number;
	documentId?: string;
	segmentId?: string;
	metadata: JsonRecord;
	/** The parts of the parent that fit, best first. */
	childChunks?: Array<{ content: string; score?: number }>;
}

/**
 * Searches a base.
 *
 * @param query 1 to 250 characters
 * @returns the hits in Dify's order, best first; none is no failure
 * @throws {ServerError}
 */
export async function retrieve(
	api: KnowledgeApi,
	baseId: string,
	query: string,
	settings: SearchSettings = {},
): Promise<{ hits: Hit[]; records: JsonRecord[] }> {
	if (query.trim() === '') throw localError('emptyQuery');
	if ([...query].length > MAX_QUERY)
		throw invalidParam(
			`The query has ${[...query].length} characters, but Dify takes ${MAX_QUERY}`,
			'Shorten it, or set "Long Queries" to Cut.',
		);
	const base = await api.base(baseId);
	if (isExternal(base))
		throw localError(
			'dataset',
			'The knowledge base is external, and Dify does not search those over its API',
			'Ask the external knowledge itself, or use an app of Dify that has the knowledge base.',
		);
	const model = retrievalModel(base, settings);
	const body = { query, ...optional({ retrieval_model: model }) };
	const answer = await api.search(`/datasets/${baseId}/retrieve`, body).catch(throwAs(withoutVectors));
	// A base that is searched by keywords can give more than was asked for.
	const records = recordsIn(answer.records).slice(0, topKOf(settings.topK));
	return { hits: hitsIn(records), records };
}

function topKOf(topK: number | undefined): number {
	return topK === undefined ? Infinity : Math.max(1, Math.trunc(topK));
}

/** What Dify says about a base that was never filled. */
function withoutVectors(error: ServerError): ServerError {
	if (error.code !== 'dataset_not_initialized') return error;
	return error.reworded({
		message: 'The knowledge base is empty or still being indexed',
		remedy: 'Add documents first, and wait until they are indexed.',
	});
}

/**
 * The setting to search with, whole, since Dify fails with parts of one; undefined where the one stored in the base
 * does. A base without vectors knows keywords only, and finds nothing by its stored setting.
 */
export function retrievalModel(base: JsonRecord, settings: SearchSettings): JsonRecord | undefined {
	const stored = recordOf(base.retrieval_model_dict);
	const isEconomy = techniqueOf(base) === 'economy';
	// Written there from the mask of an empty base (below): a base with vectors finds nothing by it.
	const isMasked = techniqueOf(base) === 'high_quality' && stored.search_method === 'keyword_search';
	const { filter, ...search } = settings;
	const conditions = filter === undefined ? undefined : filterBody(filter, base);
	const isPlain = Object.values(search).every((value) => value === undefined) && conditions === undefined;
	if (isPlain && !isEconomy && !isMasked) return undefined;
	const method = settings.method ?? (isEconomy ? 'keyword_search' : isMasked ? 'semantic_search' : methodIn(stored));
	if (isEconomy && method !== 'keyword_search')
		throw invalidParam(
			'The knowledge base has no vectors (technique Economy), so it can be searched by keywords only',
			'Set the search method to Keywords, or leave it out.',
		);
	const threshold =
		settings.scoreThreshold ??
		(stored.score_threshold_enabled === true ? finiteNumber(stored.score_threshold) : undefined);
	return {
		search_method: method,
		top_k: settings.topK ?? finiteNumber(stored.top_k) ?? DEFAULT_TOP_K,
		score_threshold_enabled: threshold !== undefined,
		...optional({ score_threshold: threshold }),
		...rerankingOf(base, stored, settings),
		...optional({ metadata_filtering_conditions: conditions }),
	};
}

/**
 * The setting to store in a base, which Dify takes as a whole only. A base without documents does not tell its search
 * method: Dify shows `keyword_search` in its place, which must not be written back (docs/protocols/dify.md 12.3).
 */
export function storedRetrieval(base: JsonRecord, settings: SearchSettings): JsonRecord | undefined {
	if (techniqueOf(base) === undefined && settings.method === undefined)
		throw invalidParam(
			'The knowledge base has no documents yet, so Dify does not tell its search method',
			'Dify takes these settings only together with it: add Default Search Method to the options. Nothing was changed.',
		);
	return retrievalModel(base, settings);
}

function methodIn(stored: JsonRecord): SearchMethod {
	const method = stored.search_method;
	return method === 'full_text_search' || method === 'hybrid_search' || method === 'keyword_search'
		? method
		: 'semantic_search';
}

function rerankingOf(base: JsonRecord, stored: JsonRecord, settings: SearchSettings): JsonRecord {
	const { rerankModel, semanticWeight = 0.7 } = settings;
	const reranking = settings.reranking ?? (rerankModel === undefined ? undefined : 'model');
	if (reranking === 'off') return { reranking_enable: false };
	if (reranking === undefined) {
		const { reranking_enable: enabled, reranking_mode: mode, reranking_model: model, weights } = stored;
		return {
			reranking_enable: enabled === true,
			...optional({ reranking_mode: nonEmptyText(mode) }),
			...(isRecord(model) && nonEmptyText(model.reranking_model_name) !== undefined ? { reranking_model: model } : {}),
			...(isRecord(weights) ? { weights } : {}),
		};
	}
	if (reranking === 'weighted') return weighted(base, semanticWeight);
	// Without both names, Dify does not rerank, and does not say so.
	if (rerankModel === undefined)
		throw invalidParam(
			'Reranking by a model needs a rerank model',
			'Choose it in the options, or set Reranking to Weighted Score or Off.',
		);
	return {
		reranking_enable: true,
		reranking_mode: 'reranking_model',
		reranking_model: { reranking_provider_name: rerankModel.provider, reranking_model_name: rerankModel.model },
	};
}

function weighted(base: JsonRecord, semanticWeight: number): JsonRecord {
	return {
		reranking_enable: true,
		reranking_mode: 'weighted_score',
		weights: {
			weight_type: 'customized',
			vector_setting: {
				vector_weight: semanticWeight,
				embedding_provider_name: nonEmptyText(base.embedding_model_provider) ?? '',
				embedding_model_name: nonEmptyText(base.embedding_model) ?? '',
			},
			keyword_setting: { keyword_weight: Math.round((1 - semanticWeight) * 1e6) / 1e6 },
		},
	};
}

/** Hits from Dify's records, whatever is missing in them. Those without any text are left out. */
export function hitsIn(records: readonly JsonRecord[]): Hit[] {
	return records.flatMap((record) => {
		const segment = recordOf(record.segment);
		const document = recordOf(segment.document);
		const children = recordsIn(record.child_chunks).map(({ content, score }) => ({
			content: nonEmptyText(content) ?? '',
			...optional({ score: finiteNumber(score) }),
		}));
		// A question of a Q&A base without its answer says nothing.
		const content = [segment.content, segment.answer].flatMap((part) => nonEmptyText(part) ?? []).join('\n');
		const documentId = nonEmptyText(segment.document_id) ?? nonEmptyText(document.id);
		const segmentId = nonEmptyText(segment.id);
		if (content === '') return [];
		return [
			{
				content,
				title: nonEmptyText(document.name) ?? '',
				score: finiteNumber(record.score) ?? 0,
				...optional({ documentId, segmentId }),
				metadata: metadataIn(document.doc_metadata),
				...(children.length === 0 ? {} : { childChunks: children }),
			},
		];
	});
}

/** Values by name: an object in hits, a list of fields in documents. */
export function metadataIn(value: unknown): JsonRecord {
	if (isRecord(value)) return value;
	return Object.fromEntries(
		recordsIn(value).flatMap((field) => (typeof field.name === 'string' ? [[field.name, field.value]] : [])),
	);
}

/** A query that Dify takes: cut behind a word where there is one. */
export function cutQuery(query: string): { query: string; cut: boolean } {
	const letters = [...query.trim()];
	if (letters.length <= MAX_QUERY) return { query: query.trim(), cut: false };
	const head = letters.slice(0, MAX_QUERY).join('');
	const isWordEnd = /\s/.test(letters[MAX_QUERY] ?? '');
	const atWord = isWordEnd ? head : head.replace(/\s+\S*$/, '');
	return { query: (atWord.length < head.length / 2 ? head : atWord).trim(), cut: true };
}

/** Hits of several bases in one list: by score, those of a search by keywords, which have none, at the end. */
export function mergedHits<T extends Hit>(lists: readonly T[][], most: number): T[] {
	return lists
		.flat()
		.sort((one, other) => other.score - one.score)
		.slice(0, most);
}
