/**
 * Good responses of every route, written by hand: the shortest that the operations accept. A response repeats the ID
 * of the item that its request names, so that each item can be told from the others.
 */
import type * as http from 'node:http';
import { findItemId, getItemId, MODEL } from './operations';

type Json = Record<string, unknown>;

export interface GoodRequest {
	method: string;
	/** As sent, with its query. */
	target: string;
	/** The body. */
	text: string;
	/** The Base URL as the client sees it. */
	baseUrl: string;
}

export interface GoodResponse {
	/** Default: 200. */
	status?: number;
	headers: http.OutgoingHttpHeaders;
	body: string | Buffer;
}

/** The beginning of every text of a model: it arrives before the stream is cut. */
export const FIRST_WORDS = 'The llama is a domesticated animal';
/** The end of every such text. */
export const LAST_WORDS = ' of the Andes, and people there keep it for its wool.';

/** For requests that name no item. */
const OTHER_ID = '5e0c1d7b-7a40-4b0c-9d1e-5b2f8a6c7d90';

const getId = ({ target, text }: GoodRequest): string => findItemId(target + text) ?? OTHER_ID;

type Respond = (request: GoodRequest) => GoodResponse;

const json =
	(create: (id: string, request: GoodRequest) => unknown): Respond =>
	(request) => ({
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(create(getId(request), request)),
	});

const toEvents = (events: readonly Json[]): string =>
	events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

const events =
	(create: (id: string) => Json[], end = ''): Respond =>
	(request) => ({
		headers: { 'content-type': 'text/event-stream' },
		body: toEvents(create(getId(request))) + end,
	});

const lines =
	(create: (id: string) => Json[]): Respond =>
	(request) => ({
		headers: { 'content-type': 'application/x-ndjson' },
		body: create(getId(request))
			.map((line) => `${JSON.stringify(line)}\n`)
			.join(''),
	});

const file =
	(type: string, content: Buffer): Respond =>
	(request) => ({
		headers: { 'content-type': type },
		body: Buffer.concat([content, Buffer.from(getId(request))]),
	});

const chatChunk = (delta: Json, finish: string | null = null): Json => ({
	object: 'chat.completion.chunk',
	model: MODEL,
	choices: [{ index: 0, delta, text: delta.content, finish_reason: finish }],
});

const generate = events(
	(id) => [
		chatChunk({ role: 'assistant', content: FIRST_WORDS }),
		chatChunk({ content: LAST_WORDS }),
		chatChunk({ content: ` ${id}` }),
		chatChunk({}, 'stop'),
	],
	'data: [DONE]\n\n',
);

/** Valid for the schemas of Extract and Classify, as their fields are filled in. */
const generateJson = events(
	(id) => [chatChunk({ content: JSON.stringify({ city: id }) }), chatChunk({}, 'stop')],
	'data: [DONE]\n\n',
);
const generateLabel = events(
	() => [chatChunk({ content: JSON.stringify({ label: 'offer' }) }), chatChunk({}, 'stop')],
	'data: [DONE]\n\n',
);

const chat: Respond = (request) => {
	if (request.text.includes('invoice')) return generateLabel(request);
	return request.text.includes('"city":{') ? generateJson(request) : generate(request);
};

/** Another ID than that of the run, as in Dify. */
const toTaskId = (id: string): string => `a${id.slice(1)}`;

const message = (id: string): Json => ({
	task_id: toTaskId(id),
	id,
	message_id: id,
	conversation_id: id,
});

const runMessage = events((id) => [
	{ event: 'message', ...message(id), answer: FIRST_WORDS },
	{ event: 'message', ...message(id), answer: `${LAST_WORDS} ${id}` },
	{ event: 'message_end', ...message(id), metadata: { usage: { total_tokens: 7 } } },
]);

const runWorkflow = events((id) => {
	const run = { task_id: toTaskId(id), workflow_run_id: id };
	return [
		{ event: 'workflow_started', ...run, data: { id } },
		{ event: 'text_chunk', ...run, data: { text: FIRST_WORDS } },
		{
			event: 'workflow_finished',
			...run,
			data: { id, status: 'succeeded', outputs: { text: FIRST_WORDS, id } },
		},
	];
});

/** Digits of the ID as a vector, so that texts of items have different ones. */
const toVector = (text: string): number[] => {
	const digit = Number(/\d$/.exec(findItemId(text) ?? '')?.[0] ?? 0);
	return [1, digit / 10, 0.5];
};

/** The body; nothing of one that is no JSON, which is sent to learn whether a route exists. */
const parseBody = <T extends object>(text: string): T => {
	try {
		return JSON.parse(text) as T;
	} catch {
		return {} as T;
	}
};

const embed = json((_id, { text }) => {
	const { input = [] } = parseBody<{ input?: string | string[] }>(text);
	const data = [input].flat().map((one, index) => ({ index, embedding: toVector(one) }));
	return { object: 'list', model: MODEL, data, usage: { prompt_tokens: 7 } };
});

const rerank = json((_id, { text }) => {
	const { documents = [] } = parseBody<{ documents?: string[] }>(text);
	const results = documents.map((_, index) => ({ index, relevance_score: 1 - index / 10 }));
	return { model: MODEL, results, usage: { total_tokens: 7 } };
});

/** The option that is the ID of the item, or the first one. */
const decisions = json((id, { text }) => {
	const { questions = {} } = parseBody<{
		questions?: Record<string, { type?: string; criteria?: Json }>;
	}>(text);
	const answers = Object.entries(questions).map(([name, { type, criteria = {} }]) => {
		if (type === 'noul') return [name, { noul: 0.6 }] as const;
		const options = Object.keys(criteria);
		const choice = options.includes(id) ? id : options[0];
		const probabilities = options.map((option) => [option, Number(option === choice)] as const);
		return [name, { choice, probabilities: Object.fromEntries(probabilities) }] as const;
	});
	return { model: MODEL, answers: Object.fromEntries(answers), usage: { input_tokens: 7 } };
});

const LLAMA_MODEL = {
	id: MODEL,
	object: 'model',
	owned_by: 'llamacpp',
	meta: { n_ctx: 8192, n_ctx_train: 8192 },
};

/** One slot, so that requests of automatic concurrency wait for each other. */
const PROPS = {
	total_slots: 1,
	model_path: `/models/${MODEL}.gguf`,
	chat_template: '{% if tools %}{{ tools }}{% endif %}',
	chat_template_caps: { supports_tools: true },
	default_generation_settings: { n_ctx: 8192 },
	modalities: { vision: true, audio: true },
};

/** A knowledge base, document, chunk, conversation variable and so on: the fields that operations read. */
const record = (id: string): Json => ({
	id,
	name: 'Vicuna.txt',
	value_type: 'string',
	value: id,
	rating: 'like',
	content: id,
	indexing_status: 'completed',
	display_status: 'available',
	enabled: true,
	word_count: 7,
	doc_metadata: [],
	doc_form: 'text_model',
	embedding_available: true,
});

const list = (id: string): Json => ({
	data: [record(id)],
	has_more: false,
	limit: 20,
	total: 1,
	page: 1,
});

const PARAMETERS = {
	user_input_form: [{ paragraph: { variable: 'text', label: 'Text', required: true } }],
	file_upload: { enabled: true },
};

/** An MP3 frame and an image of one pixel. */
const MP3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(413)]);
const PNG =
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

type Routes = ReadonlyArray<readonly [route: RegExp, respond: Respond]>;

/** Model servers, by method and path without query. The first match counts. */
const MODEL_ROUTES: Routes = [
	[/\/chat\/completions$/, chat],
	[/\/v1\/completions$/, generate],
	[/\/embeddings$/, embed],
	[/\/rerank$/, rerank],
	[/\/systemone$/, decisions],
	[/\/images\/(?:generations|edits)$/, json(() => ({ data: [{ b64_json: PNG }] }))],
	[/\/audio\/speech$/, file('audio/mpeg', MP3)],
	[/\/audio\/trans\w+$/, json((id) => ({ text: `Hello ${id}` }))],
	[/\/v1\/models$/, json(() => ({ object: 'list', data: [LLAMA_MODEL] }))],
	[/\/props$/, json(() => PROPS)],
	[/\/health$/, json(() => ({ status: 'ok' }))],
];

/** Dify's Service API. */
const DIFY_ROUTES: Routes = [
	[/ \/v1\/(?:chat|completion)-messages$/, runMessage],
	[/ \/v1\/workflows\/run$|\/events$/, runWorkflow],
	[/\/pipeline\/run$/, json((id) => ({ batch: id, documents: [record(id)] }))],
	[/POST .*\/segments$/, json(list)],
	[/\/workflows\/run\//, json((id) => ({ id, status: 'succeeded', outputs: { id } }))],
	[/\/parameters$/, json(() => PARAMETERS)],
	[/\/info$/, json((id) => ({ name: id, mode: 'chat', description: '', tags: [] }))],
	[/\/text-to-audio$/, file('audio/mpeg', MP3)],
	[/\/audio-to-text$/, json((id) => ({ text: `Hello ${id}` }))],
	[/\/files\/[^/]*\/preview$|\/a-signed-file$/, file('text/plain', Buffer.from('hello '))],
	[/\/download$/, json((id, { baseUrl }) => ({ url: `${baseUrl}/a-signed-file?id=${id}` }))],
	[/\/retrieve$/, json((id) => ({ records: [{ score: 0.5, segment: record(id) }] }))],
	[/GET .*\/segments\/|POST .*\/segments\//, json((id) => ({ data: record(id) }))],
	[/GET .*\/metadata$/, json((id) => ({ doc_metadata: [{ id, name: 'city', type: 'string' }] }))],
	[/\/document\/create-by|\/update-by/, json((id) => ({ document: record(id), batch: id }))],
	[/GET .*\/(?:documents|datasets|human_input)\/[^/]*$/, json(record)],
	[/POST .*\/(?:upload|file-upload|metadata|datasets|name)$/, json(record)],
	[/^P\w+ .*\/(?:annotations|variables|datasets)(?:\/[^/]*)?$/, json(record)],
	[/^GET/, json(list)],
	[/./, json((id) => ({ result: 'success', id }))],
];

/** For the operations that act on models, which llama-server alone does not have. */
const OLLAMA_ROUTES: Routes = [
	[/\/v1\/models$/, json((id) => ({ data: [{ id, owned_by: 'library' }] }))],
	[/\/api\/version$/, json(() => ({ version: '0.17.4' }))],
	[/\/api\/ps$/, json(() => ({ models: [] }))],
	[/\/api\/pull$/, lines(() => [{ status: 'pulling manifest' }, { status: 'success' }])],
	[/./, json((id) => ({ done: true, id }))],
];

/** Addresses contain the names of operations. */
const ROUTES: ReadonlyArray<readonly [address: RegExp, routes: Routes]> = [
	[/Local-Llama-model-(?!getAll)/, OLLAMA_ROUTES],
	[/Dify|dify/, DIFY_ROUTES],
	[/./, MODEL_ROUTES],
];

const getMissing = json(() => ({ error: { code: 404, message: 'File Not Found' } }));

const getRoutes = ({ baseUrl }: GoodRequest): Routes =>
	ROUTES.find(([address]) => address.test(baseUrl))![1];

export function getGoodResponse(request: GoodRequest): GoodResponse {
	const { method, target } = request;
	const route = `${method} ${target.split('?')[0]!}`;
	const row = getRoutes(request).find(([pattern]) => pattern.test(route));
	return row === undefined ? { status: 404, ...getMissing(request) } : row[1](request);
}

/** What a response says when the work has ended, and what it says until then. */
const UNFINISHED: ReadonlyArray<readonly [finished: string | RegExp, unfinished: string]> = [
	[/data: \{"event":"workflow_finished".*\n\n/g, ''],
	['"status":"succeeded"', '"status":"running"'],
	['"indexing_status":"completed"', '"indexing_status":"indexing"'],
];

const LOADING: GoodResponse = {
	status: 503,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({
		error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
	}),
};

/** A model stays in Ollama's memory until its last response is complete. */
const getRunningModels = json(() => ({ models: [{ name: getItemId(0) }] }));

/** The response until the work has ended. Operations that wait for its end ask again after a pause. */
export function getUnfinishedResponse(request: GoodRequest): GoodResponse {
	const { method, target, baseUrl } = request;
	if (/model-unload/.test(baseUrl) && target === '/api/ps') return getRunningModels(request);
	const isGeneration = method === 'POST' && getRoutes(request) === MODEL_ROUTES;
	if (isGeneration || /modelServer-waitUntilReady/.test(baseUrl)) return LOADING;
	const good = getGoodResponse(request);
	if (Buffer.isBuffer(good.body)) return good;
	const body = UNFINISHED.reduce(
		(text, [finished, unfinished]) => text.replaceAll(finished, unfinished),
		good.body,
	);
	return { ...good, body };
}
