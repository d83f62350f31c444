import { routeTable } from '../routes';
import { checkFieldName } from './value-checks';

const BASE = '/datasets/{dataset_id}';
const DOCUMENT = `${BASE}/documents/{document_id}` as const;
const CHUNK = `${DOCUMENT}/segments/{segment_id}` as const;

/** Plain routes of knowledge bases (docs/protocols/dify.md 2.13). */
export const baseRoutes = routeTable({
	// Without `include_all`, bases of colleagues are missing. The key acts as the owner of the workspace.
	list: {
		method: 'GET',
		path: '/datasets',
		query: ['keyword'],
		fixedQuery: { include_all: 'true' },
		returns: 'pages',
	},
	get: { method: 'GET', path: BASE, returns: 'record' },
	create: {
		method: 'POST',
		path: '/datasets',
		body: [
			'name',
			'description',
			'permission',
			'indexing_technique',
			'embedding_model',
			'embedding_model_provider',
			'retrieval_model',
		],
		returns: 'record',
	},
	update: {
		method: 'PATCH',
		path: BASE,
		body: [
			'name',
			'description',
			'permission',
			'indexing_technique',
			'embedding_model',
			'embedding_model_provider',
			'retrieval_model',
		],
		returns: 'record',
		changesBase: true,
	},
	// With all documents, without a warning, even if apps use it.
	delete: {
		method: 'DELETE',
		path: BASE,
		returns: 'existed',
		changesBase: true,
	},
	// The list of models is that of the workspace.
	models: {
		method: 'GET',
		path: '/workspaces/current/models/model-types/{model_type}',
		returns: 'records',
	},
});

export const documentRoutes = routeTable({
	// Newest first.
	list: {
		method: 'GET',
		path: `${BASE}/documents`,
		query: ['keyword', 'status'],
		returns: 'pages',
	},
	get: {
		method: 'GET',
		path: DOCUMENT,
		query: ['metadata'],
		returns: 'record',
	},
	createByText: {
		method: 'POST',
		path: `${BASE}/document/create-by-text`,
		body: [
			'name',
			'text',
			'indexing_technique',
			'doc_form',
			'doc_language',
			'process_rule',
			'embedding_model',
			'embedding_model_provider',
		],
		returns: 'record',
	},
	delete: {
		method: 'DELETE',
		path: DOCUMENT,
		returns: 'existed',
	},
	setStatus: {
		method: 'PATCH',
		path: `${BASE}/documents/status/{action}`,
		body: ['document_ids'],
		returns: 'nothing',
	},
	progress: {
		method: 'GET',
		path: `${BASE}/documents/{batch}/indexing-status`,
		returns: 'records',
	},
	// The address of the file, valid for some minutes.
	download: {
		method: 'GET',
		path: `${DOCUMENT}/download`,
		returns: 'record',
	},
});

export const chunkRoutes = routeTable({
	list: {
		method: 'GET',
		path: `${DOCUMENT}/segments`,
		query: ['keyword'],
		returns: 'pages',
	},
	get: {
		method: 'GET',
		path: CHUNK,
		returns: 'data',
	},
	create: {
		method: 'POST',
		path: `${DOCUMENT}/segments`,
		body: ['segments'],
		returns: 'records',
	},
	update: {
		method: 'POST',
		path: CHUNK,
		body: ['segment'],
		returns: 'data',
	},
	delete: {
		method: 'DELETE',
		path: CHUNK,
		returns: 'existed',
	},
});

export const metadataRoutes = routeTable({
	list: { method: 'GET', path: `${BASE}/metadata`, returns: 'record' },
	create: {
		method: 'POST',
		path: `${BASE}/metadata`,
		body: ['type', 'name'],
		checks: { name: checkFieldName },
		returns: 'record',
		changesBase: true,
	},
	setOnDocuments: {
		method: 'POST',
		path: `${BASE}/documents/metadata`,
		body: ['operation_data'],
		returns: 'nothing',
	},
});

export const pipelineRoutes = routeTable({
	datasources: {
		method: 'GET',
		path: `${BASE}/pipeline/datasource-plugins`,
		fixedQuery: { is_published: 'true' },
		returns: 'list',
	},
	// A published pipeline answers with JSON at once, also where a stream was asked for.
	run: {
		method: 'POST',
		path: `${BASE}/pipeline/run`,
		body: [
			'inputs',
			'datasource_type',
			'datasource_info_list',
			'start_node_id',
			'is_published',
			'response_mode',
		],
		returns: 'record',
	},
});
