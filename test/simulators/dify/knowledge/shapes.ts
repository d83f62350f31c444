import { createHash } from 'node:crypto';
import type { Json } from '../types';
import type { SimChild, SimDataset, SimDocument, SimSegment } from './state';

/** JSON of knowledge bases, documents and chunks, field by field as Dify 1.12.1 and 1.14.2 sent it. */

export const OWNER = '0cc1b2d0-72a5-4fb9-a8c5-d781c4f44ed4';
export const PROVIDER = 'langgenius/openai_api_compatible/openai_api_compatible';

const BUILT_IN = [
	['document_name', 'string'],
	['uploader', 'string'],
	['upload_date', 'time'],
	['last_update_date', 'time'],
	['source', 'string'],
] as const;

export const builtInFields = (): Json[] => BUILT_IN.map(([name, type]) => ({ name, type }));

function retrievalOf({ retrieval, technique }: SimDataset, shown: boolean): Json {
	const set = {
		search_method: 'semantic_search',
		reranking_enable: false,
		reranking_mode: null,
		reranking_model: { reranking_provider_name: '', reranking_model_name: '' },
		weights: null,
		top_k: 2,
		score_threshold_enabled: false,
		score_threshold: null,
		...retrieval,
	};
	return shown && technique !== 'high_quality' ? { ...set, search_method: 'keyword_search' } : set;
}

/** The stored settings of any base are shown here. */
function externalRetrieval({ retrieval }: SimDataset): Json {
	if (retrieval === undefined || retrieval.top_k === undefined)
		return { top_k: 2, score_threshold: 0.0, score_threshold_enabled: null };
	const { top_k, score_threshold = null, score_threshold_enabled = null } = retrieval;
	return { top_k, score_threshold, score_threshold_enabled };
}

/** @param asked `get`: only then Dify checks the model and shows the search method */
export function baseItem(dataset: SimDataset, asked: 'list' | 'get' | 'change'): Json {
	const documents = [...dataset.documents.values()];
	const { embedding } = dataset;
	return {
		id: dataset.id,
		name: dataset.name,
		description: dataset.description,
		provider: dataset.provider,
		permission: dataset.permission,
		data_source_type: documents.length > 0 ? 'upload_file' : null,
		indexing_technique: dataset.technique,
		app_count: dataset.inUse ? 1 : 0,
		document_count: documents.length,
		word_count: documents.reduce((sum, { words }) => sum + (words ?? 0), 0),
		created_by: OWNER,
		author_name: 'Lab',
		created_at: dataset.createdAt,
		updated_by: OWNER,
		updated_at: dataset.createdAt,
		embedding_model: embedding?.model ?? null,
		embedding_model_provider: embedding?.provider ?? null,
		embedding_available: asked === 'change' ? null : true,
		retrieval_model_dict: retrievalOf(dataset, asked === 'get'),
		summary_index_setting: {
			enable: null,
			model_name: null,
			model_provider_name: null,
			summary_prompt: null,
		},
		tags: [],
		doc_form: dataset.form,
		external_knowledge_info: {
			external_knowledge_id: null,
			external_knowledge_api_id: null,
			external_knowledge_api_name: null,
			external_knowledge_api_endpoint: null,
		},
		external_retrieval_model: externalRetrieval(dataset),
		doc_metadata: dataset.fields.map(({ id, name, type }) => ({ id, name, type })),
		built_in_field_enabled: dataset.builtIn,
		pipeline_id: null,
		runtime_mode: 'general',
		chunk_structure: null,
		icon_info: { icon_type: null, icon: null, icon_background: null, icon_url: null },
		is_published: false,
		total_documents: documents.length,
		total_available_documents: documents.filter((each) => displayStatus(each) === 'available')
			.length,
		enable_api: dataset.apiEnabled,
		is_multimodal: false,
		maintainer: OWNER,
	};
}

/** The document's state as named in Dify's console. */
export function displayStatus({ status, archived, enabled }: SimDocument): string {
	if (status === 'waiting') return 'queuing';
	if (status === 'paused' || status === 'error') return status;
	if (status !== 'completed') return 'indexing';
	if (archived) return 'archived';
	return enabled ? 'available' : 'disabled';
}

function uploadFileOf(document: SimDocument): Json {
	return {
		id: document.fileId,
		name: document.name,
		size: document.size,
		extension: document.extension,
		mime_type: document.mimeType,
		created_by: OWNER,
		created_at: document.createdAt + 0.56488,
	};
}

/** Metadata fields; null before the first value. Includes built-in ones, whether they are on or off. */
function metadataOf(dataset: SimDataset, document: SimDocument): Json[] | null {
	if (document.values.size === 0) return null;
	// By ID: fields that the base does not have are not shown.
	const own = dataset.fields.flatMap(({ id, name, type }) => {
		const value = [...document.values].find(([, each]) => each.id === id);
		return value === undefined ? [] : [{ id, name, type, value: value[1].value }];
	});
	return [...own, ...builtInOf(document)];
}

export function builtInValue(document: SimDocument, name: string): string {
	if (name === 'document_name') return document.name;
	if (name === 'uploader') return 'Lab';
	return name === 'source' ? 'file_upload' : `${document.createdAt}.0`;
}

/** Built-in fields of a new document, which 1.16 shows at once. */
export function builtInOf(document: SimDocument): Json[] {
	return BUILT_IN.map(([name, type]) => ({
		id: 'built-in',
		name,
		type,
		value: builtInValue(document, name),
	}));
}

/** A document in lists, and in the answer to a creation. */
export function documentItem(dataset: SimDataset, document: SimDocument): Json {
	const { enabled, archived } = document;
	return {
		id: document.id,
		position: document.position,
		data_source_type: 'upload_file',
		data_source_info: { upload_file_id: document.fileId },
		data_source_detail_dict: { upload_file: uploadFileOf(document) },
		dataset_process_rule_id: document.ruleId,
		name: document.name,
		created_from: document.createdFrom,
		created_by: OWNER,
		created_at: document.createdAt,
		tokens: document.tokens,
		indexing_status: document.status,
		error: document.error,
		enabled,
		disabled_at: enabled ? null : document.createdAt,
		disabled_by: enabled ? null : OWNER,
		archived,
		display_status: displayStatus(document),
		word_count: document.words,
		hit_count: 0,
		doc_form: document.form,
		// Empty in 1.14, null in 1.12; a single document has null in both.
		doc_metadata: metadataOf(dataset, document) ?? [],
		summary_index_status: null,
		need_summary: false,
	};
}

/** Rules are returned with other names than they are set with. */
function ruleOf({ rule }: SimDocument): Json {
	const rules = (rule.rules ?? {
		pre_processing_rules: [
			{ id: 'remove_extra_spaces', enabled: true },
			{ id: 'remove_urls_emails', enabled: false },
		],
		segmentation: { separator: '\n', max_tokens: 500, chunk_overlap: 50 },
	}) as Json;
	const {
		separator,
		delimiter,
		max_tokens: most,
		chunk_overlap: overlap,
	} = (rules.segmentation ?? {}) as Json;
	const segmentation = {
		delimiter: separator ?? delimiter ?? '\n',
		max_tokens: most,
		chunk_overlap: overlap ?? 0,
	};
	return { mode: rule.mode, rules: { ...rules, segmentation } };
}

/** A single document. */
export function documentDetail(dataset: SimDataset, document: SimDocument, metadata: string): Json {
	const own = { doc_type: null, doc_metadata: metadataOf(dataset, document) };
	if (metadata === 'only') return { id: document.id, ...own };
	const item = documentItem(dataset, document);
	const rule = ruleOf(document);
	const isDone = document.status === 'completed';
	const length = document.segments.reduce((sum, { content }) => sum + content.length, 0);
	return {
		id: item.id,
		position: item.position,
		data_source_type: item.data_source_type,
		data_source_info: item.data_source_detail_dict,
		dataset_process_rule_id: document.ruleId,
		dataset_process_rule: rule,
		document_process_rule: { id: document.ruleId, dataset_id: dataset.id, ...rule },
		name: document.name,
		created_from: item.created_from,
		created_by: item.created_by,
		created_at: item.created_at,
		tokens: item.tokens,
		indexing_status: item.indexing_status,
		completed_at: isDone ? document.createdAt : null,
		updated_at: document.createdAt,
		indexing_latency: isDone ? 0.396 : null,
		error: item.error,
		enabled: item.enabled,
		disabled_at: item.disabled_at,
		disabled_by: item.disabled_by,
		archived: item.archived,
		...(metadata === 'without' ? {} : own),
		segment_count: document.segments.length,
		average_segment_length:
			document.segments.length === 0 ? 0 : Math.floor(length / document.segments.length),
		hit_count: 0,
		display_status: item.display_status,
		doc_form: document.form,
		doc_language: document.language,
		summary_index_status: null,
		need_summary: false,
	};
}

export function progressItem({ id, status, error, createdAt, segments }: SimDocument): Json {
	const isDone = status === 'completed';
	const began = status === 'waiting' ? null : createdAt;
	const past = (...states: string[]) => (states.includes(status) ? null : began);
	return {
		id,
		indexing_status: status,
		processing_started_at: began,
		parsing_completed_at: past('parsing', 'error'),
		cleaning_completed_at: past('parsing', 'cleaning', 'splitting', 'error'),
		splitting_completed_at: past('parsing', 'cleaning', 'splitting', 'error'),
		completed_at: isDone ? createdAt : null,
		paused_at: status === 'paused' ? createdAt : null,
		error,
		stopped_at: status === 'error' ? createdAt : null,
		completed_segments: isDone ? segments.length : 0,
		total_segments: isDone || status === 'indexing' ? segments.length : 0,
	};
}

export function segmentItem(document: SimDocument, segment: SimSegment): Json {
	return {
		...segmentHead(document, segment),
		created_at: segment.createdAt,
		updated_at: segment.createdAt,
		updated_by: null,
		indexing_at: segment.createdAt,
		completed_at: segment.status === 'completed' ? segment.createdAt : null,
		error: segment.error,
		stopped_at: segment.status === 'error' ? segment.createdAt : null,
		child_chunks: segment.children.map((child) => childItem(segment, child)),
		attachments: [],
		summary: null,
	};
}

function segmentHead(document: SimDocument, segment: SimSegment): Json {
	const hash = createHash('sha256').update(segment.content).digest('hex');
	return {
		id: segment.id,
		position: segment.position,
		document_id: document.id,
		content: segment.content,
		sign_content: segment.content,
		answer: segment.answer,
		word_count: segment.content.length + (segment.answer ?? '').length,
		tokens: Math.ceil(segment.content.length / 4),
		keywords: segment.keywords,
		index_node_id: segment.id.replace(/^0/, 'a'),
		index_node_hash: hash,
		hit_count: 0,
		enabled: segment.enabled,
		disabled_at: segment.enabled ? null : segment.createdAt,
		disabled_by: segment.enabled ? null : OWNER,
		status: segment.status,
		created_by: OWNER,
	};
}

function childItem(segment: SimSegment, child: SimChild): Json {
	return {
		id: child.id,
		segment_id: segment.id,
		content: child.content,
		position: child.position,
		word_count: child.content.length,
		type: child.type,
		created_at: child.createdAt,
		updated_at: child.createdAt,
	};
}

/** A hit. There is no signed content for plain text. */
export function recordItem(hit: {
	document: SimDocument;
	segment: SimSegment;
	score: number;
	children: SimChild[];
}): Json {
	const { document, segment, score } = hit;
	const values = Object.fromEntries([...document.values].map(([name, { value }]) => [name, value]));
	return {
		segment: {
			...segmentHead(document, segment),
			sign_content: null,
			keywords: segment.keywords ?? [],
			created_at: segment.createdAt,
			indexing_at: segment.createdAt,
			completed_at: segment.createdAt,
			error: null,
			stopped_at: null,
			document: {
				id: document.id,
				data_source_type: 'upload_file',
				name: document.name,
				doc_type: null,
				doc_metadata: document.values.size === 0 ? null : values,
			},
		},
		child_chunks: hit.children.map(({ id, content, position }) => ({
			id,
			content,
			position,
			score,
		})),
		score,
		tsne_position: null,
		files: [],
		summary: null,
	};
}
