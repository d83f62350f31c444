import { DifyHttpError, crashed, invalid, isJson, isUuid, missing, notFound, pydantic } from './http';
import { onlyPart } from './files';
import type { Call, SimDataset, SimDocument } from './store';
import type { Json } from './types';

/** The part of the knowledge API that docs/protocols/dify.md 2.13 spells out. */
function datasetOf(call: Call): SimDataset {
	const found = call.store.datasets.get(call.ids[0] ?? '');
	if (found === undefined) throw notFound('Dataset not found.');
	return found;
}

/** Limits of a plan have no code of their own (docs/protocols/dify.md 2.13). */
function checkPlan(call: Call): void {
	if (call.store.planText !== undefined) throw new DifyHttpError(403, 'forbidden', call.store.planText);
}

function item(dataset: SimDataset): Json {
	return {
		id: dataset.id,
		name: dataset.name,
		description: dataset.description,
		provider: 'vendor',
		permission: 'only_me',
		data_source_type: dataset.documents.size > 0 ? 'upload_file' : null,
		indexing_technique: 'high_quality',
		app_count: dataset.inUse ? 1 : 0,
		document_count: dataset.documents.size,
		word_count: 0,
		created_by: 'owner',
		created_at: dataset.createdAt,
		updated_at: dataset.createdAt,
		embedding_model: null,
		embedding_model_provider: null,
		embedding_available: true,
		retrieval_model_dict: {},
		tags: [],
		doc_form: 'text_model',
	};
}

export function listDatasets(call: Call): void {
	const { store, query } = call;
	const limit = Number(query.get('limit') ?? 20);
	const page = Number(query.get('page') ?? 1);
	const size = Math.min(limit, 100);
	const all = [...store.datasets.values()].filter((each) => each.name.includes(query.get('keyword') ?? ''));
	const data = all.slice((page - 1) * size, page * size).map(item);
	call.reply(200, { data, has_more: data.length === limit, limit, total: all.length, page });
}

export function createDataset(call: Call): void {
	const { store, payload } = call;
	checkPlan(call);
	const { name } = payload;
	if (name === undefined) throw pydantic('DatasetCreatePayload', [missing('name', payload)]);
	if (typeof name !== 'string' || name.length < 1 || name.length > 40) {
		const text = 'String should have at most 40 characters';
		throw pydantic('DatasetCreatePayload', [{ field: 'name', text, type: 'string_too_long', input: name }]);
	}
	if ([...store.datasets.values()].some((each) => each.name === name)) {
		const text = 'The dataset name already exists. Please modify your dataset name.';
		throw new DifyHttpError(409, 'dataset_name_duplicate', text);
	}
	const dataset: SimDataset = {
		id: store.newId('dataset'),
		name,
		description: typeof payload.description === 'string' ? payload.description : '',
		createdAt: store.now(),
		inUse: false,
		initialized: false,
		documents: new Map(),
	};
	store.datasets.set(dataset.id, dataset);
	call.reply(200, item(dataset));
}

export function oneDataset(call: Call): void {
	const dataset = datasetOf(call);
	const { method } = call.request;
	if (method === 'DELETE') {
		if (dataset.inUse) {
			const text =
				'The dataset is being used by some apps. Please remove the dataset from the apps before deleting it.';
			throw new DifyHttpError(409, 'dataset_in_use', text);
		}
		call.store.datasets.delete(dataset.id);
		call.reply(204, undefined);
		return;
	}
	if (method === 'PATCH' && typeof call.payload.name === 'string') dataset.name = call.payload.name;
	call.reply(200, item(dataset));
}

export function retrieve(call: Call): void {
	checkPlan(call);
	const { payload } = call;
	const { query, retrieval_model: model } = payload;
	if (typeof query !== 'string') throw pydantic('HitTestingPayload', [missing('query', payload)]);
	if ([...query].length > 250) {
		const text = 'String should have at most 250 characters';
		throw pydantic('HitTestingPayload', [{ field: 'query', text, type: 'string_too_long', input: query }]);
	}
	const dataset = datasetOf(call);
	// Missing keys are read without asking (docs/protocols/dify.md 2.13).
	if (isJson(model) && !('reranking_enable' in model && 'score_threshold_enabled' in model)) throw crashed();
	if (!dataset.initialized) {
		const text = 'The dataset is still being initialized or indexing. Please wait a moment.';
		throw new DifyHttpError(400, 'dataset_not_initialized', text);
	}
	const hits = [...dataset.documents.values()].filter((each) => each.text.toLowerCase().includes(query.toLowerCase()));
	call.reply(200, {
		query: { content: query },
		records: hits.map((document, at) => ({
			segment: {
				id: document.id,
				position: at + 1,
				document_id: document.id,
				content: document.text,
				answer: null,
				document: {
					id: document.id,
					name: document.name,
					data_source_type: 'upload_file',
					doc_type: null,
					doc_metadata: null,
				},
			},
			child_chunks: [],
			score: 0.9,
			tsne_position: null,
			files: [],
			summary: null,
		})),
	});
}

function addDocument(call: Call, dataset: SimDataset, name: string, text: string): void {
	const { store } = call;
	const document: SimDocument = {
		id: store.newId('document'),
		name,
		batch: store.newId('batch'),
		text,
		status: 'completed',
		createdAt: store.now(),
	};
	dataset.documents.set(document.id, document);
	dataset.initialized = true;
	call.reply(200, { document: { ...documentItem(document), indexing_status: 'waiting' }, batch: document.batch });
}

function documentItem(document: SimDocument): Json {
	return { id: document.id, name: document.name, indexing_status: document.status, created_at: document.createdAt };
}

/** The first document settles how the base is indexed. */
function checkTechnique(call: Call, dataset: SimDataset, options: Json): void {
	if (dataset.documents.size > 0 || options.indexing_technique !== undefined) return;
	throw call.store.version === '1.12' ? crashed() : invalid('indexing_technique is required.');
}

export function createByText(call: Call): void {
	checkPlan(call);
	const { payload } = call;
	const problems = ['name', 'text'].filter((name) => !(name in payload)).map((name) => missing(name, payload));
	if (problems.length > 0) throw pydantic('DocumentTextCreatePayload', problems);
	const dataset = datasetOf(call);
	checkTechnique(call, dataset, payload);
	addDocument(call, dataset, String(payload.name), String(payload.text));
}

export function createByFile(call: Call): void {
	checkPlan(call);
	const dataset = datasetOf(call);
	const part = onlyPart(call);
	const data: unknown = JSON.parse(call.request.upload?.fields.data ?? '{}');
	checkTechnique(call, dataset, isJson(data) ? data : {});
	addDocument(call, dataset, part.filename ?? '', Buffer.from(part.content).toString('utf8'));
}

/** By batch; a document id in its place finds nothing. */
export function indexingStatus(call: Call): void {
	const dataset = datasetOf(call);
	const documents = [...dataset.documents.values()].filter((each) => each.batch === call.ids[1]);
	if (documents.length === 0) throw notFound('Documents not found.');
	const data = documents.map((each) => ({
		id: each.id,
		indexing_status: each.status,
		processing_started_at: each.createdAt,
		parsing_completed_at: each.createdAt,
		cleaning_completed_at: each.createdAt,
		splitting_completed_at: each.createdAt,
		completed_at: each.createdAt,
		paused_at: null,
		error: null,
		stopped_at: null,
		completed_segments: 1,
		total_segments: 1,
	}));
	call.reply(200, { data });
}

export function listDocuments(call: Call): void {
	const all = [...datasetOf(call).documents.values()].map(documentItem);
	call.reply(200, { data: all, has_more: false, limit: 20, total: all.length, page: 1 });
}

export function oneDocument(call: Call): void {
	const dataset = datasetOf(call);
	const id = call.ids[1] ?? '';
	const document = isUuid(id) ? dataset.documents.get(id) : undefined;
	if (document === undefined) throw notFound('Document not found.');
	if (call.request.method === 'DELETE') {
		dataset.documents.delete(id);
		call.reply(204, undefined);
		return;
	}
	call.reply(200, documentItem(document));
}
