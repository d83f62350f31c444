/** Knowledge bases in the list of Dify, as far as a check needs them (docs/protocols/dify.md 2.13). */
import { isRecord, type JsonRecord, nonEmptyText, optional, recordOf, recordsIn } from '../values';

/** A base whose search asks an embedding model. */
interface SearchableBase {
	id: string;
	name: string;
	embeddingModel: string;
	/** Undefined where the base does not rerank with a model. */
	rerankModel?: string;
	/** The settings of a search that asks these models. */
	search: JsonRecord;
}

/** A check searches no more bases than this. */
const MOST_SEARCHES = 5;

/** Bases with vectors in Dify itself: the first one of the list for each set of models. */
export function searchableBases(list: JsonRecord): SearchableBase[] {
	const byModels = new Map<string, SearchableBase>();
	for (const record of recordsIn(list.data).filter(hasVectors)) {
		const base = searchableBase(record);
		const models = JSON.stringify([record.embedding_model_provider, modelsOf(base)]);
		if (!byModels.has(models)) byModels.set(models, base);
	}
	return [...byModels.values()].slice(0, MOST_SEARCHES);
}

/** The models that a search of the base asks. */
export function modelsOf({ embeddingModel, rerankModel }: SearchableBase): string[] {
	return rerankModel === undefined ? [embeddingModel] : [embeddingModel, rerankModel];
}

function searchableBase(base: JsonRecord): SearchableBase {
	const id = nonEmptyText(base.id) ?? '';
	const stored = recordOf(base.retrieval_model_dict);
	const rerankModel = rerankModelOf(stored);
	return {
		id,
		name: nonEmptyText(base.name) ?? id,
		embeddingModel: nonEmptyText(base.embedding_model) ?? 'its embedding model',
		...optional({ rerankModel }),
		search: {
			...stored,
			search_method: 'semantic_search',
			reranking_enable: rerankModel !== undefined,
			top_k: 1,
			score_threshold_enabled: false,
		},
	};
}

function hasVectors(base: JsonRecord): boolean {
	const documents = Number(base.document_count);
	return (
		base.indexing_technique === 'high_quality' && base.provider !== 'external' && documents > 0
	);
}

function rerankModelOf(stored: JsonRecord): string | undefined {
	const isOn = stored.reranking_enable === true && stored.reranking_mode !== 'weighted_score';
	const model = stored.reranking_model;
	return isOn && isRecord(model) ? nonEmptyText(model.reranking_model_name) : undefined;
}
