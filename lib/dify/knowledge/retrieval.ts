import {
	asArray,
	omitEmpty,
	asFiniteNumber,
	isRecord,
	asNonEmptyString,
	omitUndefined,
	asRecord,
	asRecords,
	type JsonRecord,
} from '../../values';
import type { DifyAccess } from '../access';
import { apiPath } from '../ids';
import { parseRecords } from '../pagination';
import { parseMetadata, WRITE_TIMEOUT_MS } from './documents';
import { compileFilter, type Filter } from './filters';

/** Characters. Dify refuses longer queries (docs/protocols/dify.md 2.13). */
const MAX_QUERY = 250;
/** Dify's default for a new base. */
const DEFAULT_TOP_K = 4;

export interface RetrievalOptions {
	/** How many chunks at most. */
	topK?: number;
	/** Chunks with a lower score are left out, in vector search and reranking. */
	scoreThreshold?: number;
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
	summary?: string;
	files?: unknown[];
}

interface RetrievalResult {
	hits: Hit[];
	records: JsonRecord[];
	/** How many records did not fit the filter, and were left out. */
	filteredOut: number;
}

/** Searches a base. @returns the hits in Dify's order, best first; there may be none @throws {ServerError} */
export async function retrieve(
	{ client, getCached }: DifyAccess,
	datasetId: string,
	query: string,
	settings: RetrievalOptions = {},
): Promise<RetrievalResult> {
	const { filter, topK = Infinity } = settings;
	const checked = filter === undefined ? undefined : compileFilter(filter);
	const base = await getCached(apiPath`/datasets/${datasetId}`);
	const model = {
		...retrievalModel(base, settings),
		...omitUndefined({ metadata_filtering_conditions: checked?.body }),
	};
	const json = { query, retrieval_model: model };
	const options = { json, timeoutMs: WRITE_TIMEOUT_MS, isIdempotent: true };
	const answer = await client.requestJson(
		'POST',
		apiPath`/datasets/${datasetId}/retrieve`,
		options,
	);
	const all = parseRecords(asRecord(answer).records);
	const fitting =
		checked === undefined ? all : all.filter((each) => checked.matches(metadataOf(each)));
	// Keyword search can return more than the limit.
	const records = fitting.slice(0, topK);
	return { hits: records.flatMap(toHits), records, filteredOut: all.length - fitting.length };
}

/** What to say of records that did not fit; undefined where all did. */
export function getIgnoredFilterWarning(misfits: number): string | undefined {
	if (misfits === 0) return undefined;
	return `Dify returned ${misfits} record(s) that do not match the metadata filter; they were removed. This version of Dify ignores filters (as 1.13.3 does): update Dify.`;
}

/** The complete search setting, since Dify fails with a partial one. What is not chosen is as in the base. */
function retrievalModel(base: JsonRecord, settings: RetrievalOptions): JsonRecord {
	const stored = asRecord(base.retrieval_model_dict);
	const isStored = stored.score_threshold_enabled === true;
	const threshold =
		settings.scoreThreshold ?? (isStored ? asFiniteNumber(stored.score_threshold) : undefined);
	// The placeholder of a base without documents, which must not be written back (docs/protocols/dify.md 12.3).
	const isPlaceholder = stored.search_method === 'keyword_search';
	const storedMethod = isPlaceholder ? undefined : asNonEmptyString(stored.search_method);
	// A base without vectors has keyword search only, and finds nothing with another one.
	const method = base.indexing_technique === 'economy' ? 'keyword_search' : storedMethod;
	return {
		search_method: method ?? 'semantic_search',
		top_k: settings.topK ?? asFiniteNumber(stored.top_k) ?? DEFAULT_TOP_K,
		score_threshold_enabled: threshold !== undefined,
		...omitUndefined({ score_threshold: threshold }),
		...storedReranking(stored),
	};
}

function storedReranking({
	reranking_enable: enabled,
	reranking_mode: mode,
	reranking_model: model,
	weights,
}: JsonRecord): JsonRecord {
	const hasModel = asNonEmptyString(asRecord(model).reranking_model_name) !== undefined;
	return {
		reranking_enable: enabled === true,
		...omitUndefined({
			reranking_mode: asNonEmptyString(mode),
			reranking_model: hasModel ? model : undefined,
			weights: isRecord(weights) ? weights : undefined,
		}),
	};
}

function metadataOf({ segment }: JsonRecord): JsonRecord {
	return parseMetadata(asRecord(asRecord(segment).document).doc_metadata);
}

/** The hit of a record; none for one without text. */
function toHits(record: JsonRecord): Hit[] {
	const segment = asRecord(record.segment);
	const document = asRecord(segment.document);
	// The content of a Q&A chunk is only the question.
	const texts = [segment.content, segment.answer].map(asNonEmptyString);
	const content = texts.filter((each) => each !== undefined).join('\n');
	if (content === '') return [];
	const childChunks = asRecords(record.child_chunks).map(({ content: own, score }) => ({
		content: asNonEmptyString(own) ?? '',
		...omitUndefined({ score: asFiniteNumber(score) }),
	}));
	return [
		{
			content,
			title: asNonEmptyString(document.name) ?? '',
			score: asFiniteNumber(record.score) ?? 0,
			...omitUndefined({
				documentId: asNonEmptyString(segment.document_id) ?? asNonEmptyString(document.id),
				segmentId: asNonEmptyString(segment.id),
				summary: asNonEmptyString(record.summary),
			}),
			metadata: metadataOf(record),
			...omitEmpty({ childChunks, files: asArray(record.files) }),
		},
	];
}

/** Cuts a query to the length that Dify takes, at a word if possible. */
export function truncateQuery(query: string): { query: string; cut: boolean } {
	const letters = [...query.trim()];
	if (letters.length <= MAX_QUERY) return { query: query.trim(), cut: false };
	const head = letters.slice(0, MAX_QUERY).join('');
	const isWordEnd = /\s/.test(letters[MAX_QUERY] ?? '');
	const atWord = isWordEnd ? head : head.replace(/\s+\S*$/, '');
	return { query: (atWord.length < head.length / 2 ? head : atWord).trim(), cut: true };
}
