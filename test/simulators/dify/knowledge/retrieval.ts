import { DifyHttpError, invalid, isJson } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { toSegmentItem } from './documents';
import { findDataset } from './state';
import type { SimDataset, SimDocument, SimSegment } from './state';

export function retrieve(call: Call): void {
	const { payload } = call;
	const query = String(payload.query);
	if (query.length > 250) throw invalid('String should have at most 250 characters');
	const dataset = findDataset(call);
	const model = isJson(payload.retrieval_model) ? payload.retrieval_model : {};
	if (dataset.documents.size === 0 && dataset.technique === null) {
		const text = 'The dataset is still being initialized or indexing. Please wait a moment.';
		throw new DifyHttpError(400, 'dataset_not_initialized', text);
	}
	const { search_method: method = dataset.retrieval?.search_method ?? 'semantic_search' } = model;
	const isByVector = method !== 'keyword_search';
	// Each indexing technique has its own methods; others find nothing.
	const fits = isByVector === (dataset.technique === 'high_quality');
	const records = (fits ? findHits(dataset, query, model) : []).map((hit) => ({
		segment: {
			...toSegmentItem(hit.document, hit.segment),
			document: {
				id: hit.document.id,
				name: hit.document.name,
				doc_metadata: toMetadata(hit.document),
			},
		},
		child_chunks: [],
		score: isByVector ? hit.score : 0,
		files: [],
		summary: null,
	}));
	call.reply(200, { query: { content: query }, records });
}

function toMetadata({ values }: SimDocument): Json | null {
	if (values.size === 0) return null;
	return Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
}

interface Hit {
	document: SimDocument;
	segment: SimSegment;
	score: number;
}

/** Hits by common words, so that scores are deterministic. */
function findHits(dataset: SimDataset, query: string, model: Json): Hit[] {
	const threshold = model.score_threshold_enabled === true ? Number(model.score_threshold) : 0;
	const { metadata_filtering_conditions: filter } = model;
	const conditions = isJson(filter) ? (filter.conditions as Json[]) : [];
	return [...dataset.documents.values()]
		.filter(({ status, enabled, archived }) => status === 'completed' && enabled && !archived)
		.filter((document) => conditions.every((condition) => meetsCondition(document, condition)))
		.flatMap((document) =>
			document.segments
				.filter(({ enabled }) => enabled)
				.map((segment) => ({ document, segment, score: scoreText(query, segment.content) })),
		)
		.filter(({ score }) => score > 0 && score >= threshold)
		.sort((one, other) => other.score - one.score)
		.slice(0, Number(model.top_k ?? dataset.retrieval?.top_k ?? 2));
}

const splitWords = (text: string) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

function scoreText(query: string, text: string): number {
	const words = splitWords(text);
	const queryWords = [...splitWords(query)];
	const common = queryWords.filter((word) => words.has(word)).length;
	return Math.round((common / queryWords.length) * 1000) / 1000;
}

/** A condition without a value is dropped, which widens the search. */
function meetsCondition({ values }: SimDocument, condition: Json): boolean {
	const { name, comparison_operator: operator, value } = condition;
	if (value === undefined || value === null) return true;
	const stored = String(values.get(String(name))?.value);
	const text = String(value);
	if (operator === 'is') return stored === text && text !== '';
	if (operator === 'contains') return stored.includes(text);
	if (operator === 'start with') return stored.startsWith(text);
	return operator === 'in' && text.split(',').includes(stored);
}
