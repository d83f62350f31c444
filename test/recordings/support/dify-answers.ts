/** Responses of the playback to requests other than the replayed one: a small table, in the format of the recordings. */

/** ID of objects without a recorded ID. */
export const SOME_ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';

export interface TableAnswer {
	status: number;
	json: unknown;
}

const NAME = 'a.txt';

const BASE = {
	id: SOME_ID,
	name: 'Papers',
	description: '',
	provider: 'vendor',
	permission: 'all_team_members',
	data_source_type: 'upload_file',
	indexing_technique: 'high_quality',
	embedding_model: 'emb',
	embedding_model_provider: 'langgenius/openai_api_compatible/openai_api_compatible',
	embedding_available: true,
	doc_form: 'text_model',
	runtime_mode: 'general',
	document_count: 1,
	retrieval_model_dict: {
		search_method: 'semantic_search',
		reranking_enable: false,
		reranking_mode: null,
		reranking_model: { reranking_provider_name: '', reranking_model_name: '' },
		weights: null,
		top_k: 3,
		score_threshold_enabled: false,
		score_threshold: null,
	},
	doc_metadata: [],
	tags: [],
};

const DOCUMENT = {
	id: SOME_ID,
	name: NAME,
	data_source_type: 'upload_file',
	indexing_status: 'completed',
	display_status: 'available',
	enabled: true,
	archived: false,
	error: null,
	doc_form: 'text_model',
	doc_language: 'English',
	doc_metadata: [{ id: SOME_ID, name: 'city', type: 'string', value: 'Quito' }],
	completed_segments: 1,
	total_segments: 1,
};

const CHUNK = {
	id: SOME_ID,
	position: 1,
	document_id: SOME_ID,
	content: 'known text',
	answer: null,
	keywords: ['known'],
	enabled: true,
	status: 'completed',
	child_chunks: [],
};

const SWITCHED_ON = { enabled: true };
const SWITCHED_OFF = { enabled: false };

const PARAMETERS = {
	opening_statement: null,
	suggested_questions: [],
	suggested_questions_after_answer: SWITCHED_ON,
	speech_to_text: SWITCHED_ON,
	text_to_speech: { enabled: true, voice: 'alloy', language: 'en-US' },
	retriever_resource: SWITCHED_ON,
	annotation_reply: SWITCHED_OFF,
	more_like_this: SWITCHED_OFF,
	user_input_form: [],
	sensitive_word_avoidance: { enabled: false, type: '', config: {} },
	file_upload: SWITCHED_OFF,
	system_parameters: { image_file_size_limit: 10, file_size_limit: 15 },
};

const FORM = {
	form_content: 'ok? {{#$output.note#}}',
	inputs: [
		{
			output_variable_name: 'note',
			type: 'paragraph',
			default: { type: 'constant', selector: [], value: '' },
		},
	],
	resolved_default_values: {},
	user_actions: [
		{ id: 'approve', title: 'Approve', button_style: 'primary' },
		{ id: 'reject', title: 'Reject', button_style: 'default' },
	],
	expiration_time: 1795266109,
};

const DATASOURCE = {
	node_id: 'file',
	plugin_id: 'langgenius/file',
	provider_name: 'file',
	datasource_type: 'local_file',
	title: 'File',
	user_input_variables: [],
	credentials: [],
};

const UPLOADED = {
	id: SOME_ID,
	name: NAME,
	size: 4,
	extension: 'txt',
	mime_type: 'text/plain',
	created_by: SOME_ID,
	created_at: '2026-11-20T20:02:19.738246',
};

const page = (data: unknown[]) => ({
	data,
	has_more: false,
	limit: 20,
	total: data.length,
	page: 1,
});

const ID = '[^/]+';
const DATASET = `/datasets/${ID}`;

/** Responses with status 200 by method and path. */
const TABLE: ReadonlyArray<readonly [route: string, json: unknown]> = [
	['GET /info', { name: 'App', description: '', tags: [], mode: 'MODE', author_name: 'a' }],
	['GET /parameters', PARAMETERS],
	['GET /messages', page([])],
	['GET /app/feedbacks', { data: [] }],
	[
		'GET /apps/annotations',
		page([{ id: SOME_ID, question: 'known?', answer: 'yes', hit_count: 0, created_at: 1 }]),
	],
	[
		`GET /conversations/${ID}/variables`,
		{
			limit: 20,
			has_more: false,
			data: [{ id: SOME_ID, name: 'lang', value_type: 'string', value: 'de', created_at: 1 }],
		},
	],
	[`GET /form/human_input/${ID}`, FORM],
	[`POST /(?:chat-messages|completion-messages|workflows/tasks)/${ID}/stop`, { result: 'success' }],
	['POST /files/upload', UPLOADED],
	['POST /datasets/pipeline/file-upload', UPLOADED],
	['GET /datasets', page([BASE])],
	[`GET ${DATASET}`, BASE],
	[`GET ${DATASET}/documents`, page([])],
	[
		`GET ${DATASET}/documents/[^/]{15,22}/indexing-status`,
		{ data: [{ ...DOCUMENT, completed_at: 1 }] },
	],
	[`GET ${DATASET}/documents/${ID}`, DOCUMENT],
	[`GET ${DATASET}/documents/${ID}/segments`, page([CHUNK])],
	[`GET ${DATASET}/documents/${ID}/segments/${ID}`, { data: CHUNK, doc_form: 'text_model' }],
	[
		`GET ${DATASET}/metadata`,
		{
			doc_metadata: [{ id: SOME_ID, name: 'city', type: 'string', count: 0 }],
			built_in_field_enabled: false,
		},
	],
	[`PATCH ${DATASET}/documents/status/un_archive`, { result: 'success' }],
	[`GET ${DATASET}/pipeline/datasource-plugins`, [DATASOURCE]],
	[
		`POST ${DATASET}/pipeline/run`,
		{ batch: '20261120195326148296', dataset: BASE, documents: [DOCUMENT] },
	],
];

const ROWS = TABLE.map(([route, json]) => ({ pattern: new RegExp(`^${route}$`), json }));

/** Dify's response to an unknown path. */
export const UNKNOWN: TableAnswer = {
	status: 404,
	json: {
		code: 'not_found',
		message:
			'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
		status: 404,
	},
};

/** @param mode mode of the app that the key belongs to */
export function tableAnswer(method: string, path: string, mode: string): TableAnswer {
	const row = ROWS.find(({ pattern }) => pattern.test(`${method} ${path}`));
	if (row === undefined) return UNKNOWN;
	const text = JSON.stringify(row.json).replace('"MODE"', JSON.stringify(mode));
	return { status: 200, json: JSON.parse(text) as unknown };
}
