import { onlyPart, storeFile } from '../files';
import { DifyHttpError, invalid, isJson } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { addDataset, addDocument, findDataset, newBatch, sendPage } from './state';
import type { SimDataset } from './state';

const DEFAULT_RETRIEVAL = {
	search_method: 'semantic_search',
	reranking_enable: false,
	top_k: 2,
	score_threshold_enabled: false,
	score_threshold: null,
};

/** A list does not show the search method of a base without vectors. */
function toItem(dataset: SimDataset, isSingle: boolean): Json {
	const { technique, documents, retrieval } = dataset;
	const placeholder =
		isSingle && technique !== 'high_quality' ? { search_method: 'keyword_search' } : {};
	return {
		id: dataset.id,
		name: dataset.name,
		description: dataset.description,
		provider: dataset.provider,
		permission: dataset.permission,
		indexing_technique: technique,
		document_count: documents.size,
		created_at: dataset.createdAt,
		embedding_model: technique === 'high_quality' ? 'minilm' : null,
		embedding_model_provider: technique === 'high_quality' ? PROVIDER : null,
		retrieval_model_dict: { ...DEFAULT_RETRIEVAL, ...retrieval, ...placeholder },
		doc_form: dataset.form,
		doc_metadata: dataset.fields,
		built_in_field_enabled: false,
		runtime_mode: 'general',
	};
}

export function listDatasets(call: Call): void {
	const { store, query } = call;
	const includeAll = query.get('include_all') === 'true';
	const keyword = (query.get('keyword') ?? '').toLowerCase();
	const found = [...store.knowledge.datasets.values()]
		.filter(({ isOwn }) => includeAll || isOwn)
		.filter(({ name }) => name.toLowerCase().includes(keyword))
		.reverse();
	sendPage(
		call,
		found.map((dataset) => toItem(dataset, false)),
	);
}

export function createDataset(call: Call): void {
	const { store, payload } = call;
	const { name, description, permission, indexing_technique: technique } = payload;
	if ([...store.knowledge.datasets.values()].some((each) => each.name === name)) {
		const text = 'The dataset name already exists. Please modify your dataset name.';
		throw new DifyHttpError(409, 'dataset_name_duplicate', text);
	}
	const dataset = addDataset(store, {
		name: String(name),
		description: String(description ?? ''),
		permission: String(permission ?? 'only_me'),
		technique: typeof technique === 'string' ? technique : null,
		...(isJson(payload.retrieval_model) ? { retrieval: payload.retrieval_model } : {}),
	});
	call.reply(200, toItem(dataset, false));
}

export function getDataset(call: Call): void {
	call.reply(200, toItem(findDataset(call), true));
}

export function changeDataset(call: Call): void {
	const dataset = findDataset(call);
	const { name, description, permission, indexing_technique: technique } = call.payload;
	const { retrieval_model: retrieval } = call.payload;
	if (typeof name === 'string') dataset.name = name;
	if (typeof description === 'string') dataset.description = description;
	if (typeof permission === 'string') dataset.permission = permission;
	if (typeof technique === 'string') dataset.technique = technique;
	if (isJson(retrieval)) dataset.retrieval = retrieval;
	call.reply(200, toItem(dataset, false));
}

/** Dify also deletes a base that apps use. */
export function deleteDataset(call: Call): void {
	const { id } = findDataset(call);
	call.store.knowledge.datasets.delete(id);
	call.reply(204, undefined);
}

const PROVIDER = 'langgenius/openai_api_compatible/openai_api_compatible';
const MODELS: Record<string, string[]> = {
	'text-embedding': ['embed', 'minilm'],
	rerank: ['minilm-rank'],
};

export function listModels(call: Call): void {
	const [type = ''] = call.ids;
	const models = (MODELS[type] ?? []).map((model) => ({
		model,
		label: { en_US: model },
		model_type: type,
		status: 'active',
	}));
	call.reply(200, { data: [{ provider: PROVIDER, status: 'active', models }] });
}

export function uploadForPipeline(call: Call): void {
	const { id, name, size } = storeFile(call.store, call.user, onlyPart(call));
	call.reply(201, { id, name, size, created_at: '2026-11-20T20:02:19.738246' });
}

export function listDatasources(call: Call): void {
	const { pipeline } = findDataset(call);
	if (pipeline === undefined) throw invalid('Pipeline not found');
	call.reply(200, pipeline.datasources);
}

/** A published pipeline always answers with JSON. */
export function runPipeline(call: Call): void {
	const { payload, store } = call;
	const dataset = findDataset(call);
	const batch = newBatch(store);
	const documents = (payload.datasource_info_list as Json[]).map((info) => {
		const file = store.files.get(String(info.reference ?? info.related_id));
		if (file === undefined) throw new DifyHttpError(500, 'pipeline_run_error', 'File is not exist');
		const name = String(info.name);
		const text = new TextDecoder().decode(file.content);
		const { id, position } = addDocument(store, dataset, { name, batch, text });
		return { id, position, name, indexing_status: 'waiting', error: null, enabled: true };
	});
	call.reply(200, { batch, dataset: { id: dataset.id, name: dataset.name }, documents });
}
