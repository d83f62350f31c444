import { type ServerError, throwAs } from '../../errors/server-error';
import {
	filled,
	finiteNumber,
	isRecord,
	type JsonRecord,
	nonEmptyText,
	optional,
	recordOf,
	recordsIn,
} from '../../values';
import { invalidParam, localError } from '../errors/failure';
import { listIn } from '../paging';
import type { KnowledgeApi } from './api';
import type { ModelRef } from './bases';
import { filterBody, type Filter } from './filters';
import { isExternal, metadataIn, techniqueOf } from './records';

const SEARCH_METHODS = [
	'semantic_search',
	'full_text_search',
	'hybrid_search',
	'keyword_search',
] as const;
export type SearchMethod = (typeof SEARCH_METHODS)[number];

/** Characters. Dify refuses longer queries (docs/protocols/dify.md 2.13). */
const MAX_QUERY = 250;

/** Dify's default for a new base. */
const DEFAULT_TOP_K = 4;

export interface SearchSettings {
	method?: SearchMethod;
	/** How many chunks at most. */
	topK?: number;
	/** Chunks with a lower score are left out, in vector search and reranking. */
	scoreThreshold?: number;
	/** `off`: the order of the search counts. Default: as in the base. */
	reranking?: 'off' | 'model' | 'weighted';
	rerankModel?: ModelRef;
	/** For `weighted`: weight of the semantic score, from 0 to 1; the rest is for keywords. */
	semanticWeight?: number;
	filter?: Filter;
}

/** One chunk that was found. */
export interface Hit {
	/** The text: question and answer of a Q&A chunk, the parent of a child chunk. */
	content: string;
	/** Name of the document. */
	title: string;
	/** 0 for a search by keywords. */
	score: number;
	documentId?: string;
	segmentId?: string;
	metadata: JsonRecord;
	/** Matching child chunks, best first. */
	childChunks?: Array<{ content: string; score?: number }>;
}

/**
 * Searches a base.
 *
 * @param query 1 to 250 characters
 * @returns the hits in Dify's order, best first; there may be none
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
	const answer = await api
		.search(`/datasets/${baseId}/retrieve`, body)
		.catch(throwAs(withoutVectors));
	// Keyword search can return more than the limit.
	const records = listIn(answer.records).slice(0, topKOf(settings.topK));
	return { hits: hitsIn(records), records };
}

function topKOf(topK: number | undefined): number {
	return topK === undefined ? Infinity : Math.max(1, Math.trunc(topK));
}

/** Rewords Dify's error for a base without indexed documents. */
function withoutVectors(error: ServerError): ServerError {
	if (error.code !== 'dataset_not_initialized') return error;
	return error.reworded({
		message: 'The knowledge base is empty or still being indexed',
		remedy: 'Add documents first, and wait until they are indexed.',
	});
}

/**
 * The complete search setting, since Dify fails with a partial one; undefined where the stored setting of the base is
 * used. A base without vectors has keyword search only, and finds nothing with its stored setting.
 */
export function retrievalModel(base: JsonRecord, settings: SearchSettings): JsonRecord | undefined {
	const stored = recordOf(base.retrieval_model_dict);
	const { filter, ...search } = settings;
	const conditions = filter === undefined ? undefined : filterBody(filter, base);
	const isPlain = Object.values({ ...search, conditions }).every((value) => value === undefined);
	if (isPlain && isUsable(base, stored)) return undefined;
	const threshold = settings.scoreThreshold ?? storedThreshold(stored);
	return {
		search_method: methodFor(base, stored, settings.method),
		top_k: settings.topK ?? finiteNumber(stored.top_k) ?? DEFAULT_TOP_K,
		score_threshold_enabled: threshold !== undefined,
		...optional({ score_threshold: threshold }),
		...rerankingOf(base, stored, settings),
		...optional({ metadata_filtering_conditions: conditions }),
	};
}

/** Whether a search with the stored setting can find something. */
function isUsable(base: JsonRecord, stored: JsonRecord): boolean {
	return techniqueOf(base) !== 'economy' && !isPlaceholder(base, stored);
}

/**
 * Whether the setting was stored by mistake, from the placeholder of an empty base (see `storedRetrieval`): a base with
 * vectors finds nothing with it.
 */
function isPlaceholder(base: JsonRecord, stored: JsonRecord): boolean {
	return techniqueOf(base) === 'high_quality' && stored.search_method === 'keyword_search';
}

function methodFor(
	base: JsonRecord,
	stored: JsonRecord,
	chosen: SearchMethod | undefined,
): SearchMethod {
	if (techniqueOf(base) !== 'economy') return chosen ?? storedMethod(base, stored);
	if (chosen === undefined || chosen === 'keyword_search') return 'keyword_search';
	throw invalidParam(
		'The knowledge base has no vectors (technique Economy), so it can be searched by keywords only',
		'Set the search method to Keywords, or leave it out.',
	);
}

function storedMethod(base: JsonRecord, stored: JsonRecord): SearchMethod {
	if (isPlaceholder(base, stored)) return 'semantic_search';
	return SEARCH_METHODS.find((method) => method === stored.search_method) ?? 'semantic_search';
}

function storedThreshold(stored: JsonRecord): number | undefined {
	if (stored.score_threshold_enabled !== true) return undefined;
	return finiteNumber(stored.score_threshold);
}

/**
 * The complete search setting to store in a base. A base without documents does not show its search method: Dify sends
 * `keyword_search` as a placeholder, which must not be written back (docs/protocols/dify.md 12.3).
 */
export function storedRetrieval(
	base: JsonRecord,
	settings: SearchSettings,
): JsonRecord | undefined {
	if (techniqueOf(base) === undefined && settings.method === undefined)
		throw invalidParam(
			'The knowledge base has no documents yet, so Dify does not tell its search method',
			'Dify takes these settings only together with it: add Default Search Method to the options. Nothing was changed.',
		);
	return retrievalModel(base, settings);
}

function rerankingOf(base: JsonRecord, stored: JsonRecord, settings: SearchSettings): JsonRecord {
	const { rerankModel, semanticWeight = 0.7 } = settings;
	const reranking = settings.reranking ?? (rerankModel === undefined ? undefined : 'model');
	switch (reranking) {
		case 'off':
			return { reranking_enable: false };
		case 'weighted':
			return weighted(base, semanticWeight);
		case 'model':
			return rerankedBy(rerankModel);
		case undefined:
			return storedReranking(stored);
	}
}

function storedReranking({
	reranking_enable: enabled,
	reranking_mode: mode,
	reranking_model: model,
	weights,
}: JsonRecord): JsonRecord {
	const hasModel = nonEmptyText(recordOf(model).reranking_model_name) !== undefined;
	return {
		reranking_enable: enabled === true,
		...optional({
			reranking_mode: nonEmptyText(mode),
			reranking_model: hasModel ? model : undefined,
			weights: isRecord(weights) ? weights : undefined,
		}),
	};
}

/** Without both names, Dify silently does not rerank. */
function rerankedBy(rerankModel: ModelRef | undefined): JsonRecord {
	if (rerankModel === undefined)
		throw invalidParam(
			'Reranking by a model needs a rerank model',
			'Choose it in the options, or set Reranking to Weighted Score or Off.',
		);
	return {
		reranking_enable: true,
		reranking_mode: 'reranking_model',
		reranking_model: {
			reranking_provider_name: rerankModel.provider,
			reranking_model_name: rerankModel.model,
		},
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

/** Reads hits from Dify's records. Those without text are left out. */
export function hitsIn(records: readonly JsonRecord[]): Hit[] {
	return records.flatMap((record) => {
		const segment = recordOf(record.segment);
		const document = recordOf(segment.document);
		// The content of a Q&A chunk is only the question.
		const texts = [segment.content, segment.answer].map(nonEmptyText);
		const content = texts.filter((text) => text !== undefined).join('\n');
		if (content === '') return [];
		const children = recordsIn(record.child_chunks).map(childHit);
		return [
			{
				content,
				title: nonEmptyText(document.name) ?? '',
				score: finiteNumber(record.score) ?? 0,
				...optional({
					documentId: nonEmptyText(segment.document_id) ?? nonEmptyText(document.id),
					segmentId: nonEmptyText(segment.id),
				}),
				metadata: metadataIn(document.doc_metadata),
				...filled({ childChunks: children }),
			},
		];
	});
}

function childHit({ content, score }: JsonRecord): NonNullable<Hit['childChunks']>[number] {
	return { content: nonEmptyText(content) ?? '', ...optional({ score: finiteNumber(score) }) };
}

/** Cuts a query to the length that Dify takes, at a word if possible. */
export function cutQuery(query: string): { query: string; cut: boolean } {
	const letters = [...query.trim()];
	if (letters.length <= MAX_QUERY) return { query: query.trim(), cut: false };
	const head = letters.slice(0, MAX_QUERY).join('');
	const isWordEnd = /\s/.test(letters[MAX_QUERY] ?? '');
	const atWord = isWordEnd ? head : head.replace(/\s+\S*$/, '');
	return { query: (atWord.length < head.length / 2 ? head : atWord).trim(), cut: true };
}

/** Merges hits of several bases by score. Those of keyword search have score 0, so they come last. */
export function mergedHits<T extends Hit>(lists: readonly T[][], most: number): T[] {
	return lists
		.flat()
		.sort((one, other) => other.score - one.score)
		.slice(0, most);
}
