/** The operation that sends a recorded request, with the values of its fields. */
import { SOME_ID } from './dify-answers';
import type { ActionNode } from './dify-node-runner';
import { jsonOf } from './dify-exchanges';
import type { DifyExchange } from './dify-exchanges';

export type DifyNode = ActionNode | 'difyRetriever';

type Parameters = Record<string, unknown>;

/** An operation that sends a request. */
export interface OperationRow {
	node: DifyNode;
	/** Resource and operation; empty for a node with one operation. */
	operation: string;
	method: string;
	path: RegExp;
	/** Values that differ from the defaults. */
	parameters: (exchange: DifyExchange) => Parameters;
	startsRun: boolean;
}

type Fields = Parameters | ((exchange: DifyExchange) => Parameters);
/** All of these values. */
const all =
	(...parts: Fields[]) =>
	(exchange: DifyExchange): Parameters =>
		Object.assign({}, ...parts.map((part) => (typeof part === 'function' ? part(exchange) : part)));

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
const byId = (value: unknown) => ({ __rl: true, mode: 'id', value });

/** The first, second or later ID of the path, otherwise a test ID: a node sends only UUIDs. */
function idAt({ path }: DifyExchange, place: number): string {
	const id = path.split('/').filter((part) => part !== '')[place] ?? '';
	return UUID.exec(id)?.[0] === id ? id : SOME_ID;
}

function textOr(value: unknown, otherwise: string): string {
	return typeof value === 'string' && value.trim() !== '' ? value : otherwise;
}

/** Maximum length of the user that a node sends. */
const userOf = ({ body, query }: DifyExchange) =>
	textOr(body.user ?? query.get('user'), 'u1').slice(0, 255);

/** The number of records on the recorded page, so that the node requests no other page. */
function listOf(exchange: DifyExchange): Parameters {
	const { data } = (jsonOf(exchange) ?? {}) as { data?: unknown };
	const limit = Array.isArray(data) && data.length > 0 ? data.length : 20;
	return { returnAll: false, limit };
}

const ONE_TRY = { maxRetries: 0 };
const JSON_INPUTS = { inputsMode: 'json', inputsJson: '{}', files: {}, simplify: true };

function conversationOf({ body }: DifyExchange): Parameters {
	const id = body.conversation_id;
	if (typeof id !== 'string' || !UUID.test(id)) return { conversation: 'new' };
	return { conversation: 'byId', conversationId: byId(id) };
}

const message = (exchange: DifyExchange): Parameters => ({
	...JSON_INPUTS,
	...conversationOf(exchange),
	query: textOr(exchange.body.query, 'hi'),
	user: userOf(exchange),
	options: { ...ONE_TRY, include: ['thoughts', 'sources', 'workflow'] },
});

const run = (exchange: DifyExchange): Parameters => ({
	...JSON_INPUTS,
	user: userOf(exchange),
	options: {
		...ONE_TRY,
		include: ['nodes', 'text'],
		...(exchange.path === '/workflows/run' ? {} : { workflowId: idAt(exchange, 1) }),
	},
});

const follow = (exchange: DifyExchange): Parameters => ({
	workflowRunId: idAt(exchange, 1),
	user: userOf(exchange),
	simplify: true,
	options: { include: ['nodes', 'text'] },
});

const ofUser = (exchange: DifyExchange): Parameters => ({ user: userOf(exchange) });
const ofConversation = all(ofUser, (exchange) => ({ conversationId: byId(idAt(exchange, 1)) }));
const ofMessage = all(ofUser, (exchange) => ({ messageId: idAt(exchange, 1) }));
const ofBase = (exchange: DifyExchange): Parameters => ({
	difyDatasetId: byId(idAt(exchange, 1)),
});
const ofDocument = all(ofBase, (exchange) => ({ documentId: byId(idAt(exchange, 3)) }));
const ofChunk = all(ofDocument, (exchange) => ({ chunkId: idAt(exchange, 5) }));
const ofForm = ({ path }: DifyExchange): Parameters => ({
	formToken: textOr(path.split('/')[3], 'token'),
});
const search = (exchange: DifyExchange): Parameters => ({
	query: textOr(exchange.body.query, 'llama').slice(0, 250),
	topK: 10,
	metadataFilters: {},
	options: {},
});
const transcript = (exchange: DifyExchange): Parameters => ({
	...ofUser(exchange),
	binaryPropertyName: 'sound',
});

const completion = all(JSON_INPUTS, { text: '', options: ONE_TRY }, ofUser);

const answered = all(ofForm, ofUser, { action: 'approve', values: { note: 'x' } });

const chunk = all(ofDocument, { content: 'new text', options: {} });

type Row = readonly [
	node: DifyNode,
	operation: string,
	request: string,
	parameters?: (exchange: DifyExchange) => Parameters,
];

const ID = '[^/]+';
const BASE = `/datasets/(?!tags|pipeline)${ID}`;
const DOCUMENT = `${BASE}/documents/(?!status|metadata|download-zip)${ID}`;
const CHUNK = `${DOCUMENT}/segments/${ID}`;

/** Operations that start a run, which must be sent only once. */
const RUNS: readonly Row[] = [
	['difyChatMessage', '', 'POST /chat-messages', message],
	['difyApp', 'text generate', 'POST /completion-messages', completion],
	['difyWorkflow', 'run execute', `POST /workflows/(?:${ID}/)?run`, run],
	['difyKnowledge', 'pipeline run', `POST ${BASE}/pipeline/run`, pipeline],
];

const PLAIN: readonly Row[] = [
	['difyWorkflow', 'run follow', `GET /workflow/${ID}/events`, follow],
	[
		'difyWorkflow',
		'run get',
		`GET /workflows/run/${ID}`,
		(exchange) => ({ workflowRunId: idAt(exchange, 2), waitUntilFinished: false }),
	],
	['difyWorkflow', 'run getAll', 'GET /workflows/logs', listOf],
	['difyWorkflow', 'run stop', `POST /workflows/tasks/${ID}/stop`, taskOf],
	['difyWorkflow', 'form get', `GET /form/human_input/${ID}`, ofForm],
	['difyWorkflow', 'form submit', `POST /form/human_input/${ID}`, answered],
	['difyApp', 'app get', 'GET /(?:info|parameters)'],
	['difyApp', 'file upload', 'POST /files/upload', ofUser],
	[
		'difyApp',
		'file download',
		`GET /files/${ID}/preview`,
		(exchange) => ({ fileId: idAt(exchange, 1) }),
	],
	['difyApp', 'audio speak', 'POST /text-to-audio', spoken],
	['difyApp', 'audio transcribe', 'POST /audio-to-text', transcript],
	['difyApp', 'annotation getAll', 'GET /apps/annotations', annotations],
	['difyApp', 'annotation create', 'POST /apps/annotations', texts],
	[
		'difyApp',
		'annotation update',
		`PUT /apps/annotations/${ID}`,
		all(texts, { annotationId: byId(SOME_ID) }),
	],
	[
		'difyApp',
		'annotation delete',
		`DELETE /apps/annotations/${ID}`,
		all({ annotationId: byId(SOME_ID) }),
	],
	['difyConversation', 'conversation getAll', 'GET /conversations', all(ofUser, listOf)],
	['difyConversation', 'conversation delete', `DELETE /conversations/${ID}`, ofConversation],
	[
		'difyConversation',
		'conversation rename',
		`POST /conversations/${ID}/name`,
		(exchange) => ({
			...ofConversation(exchange),
			autoGenerate: exchange.body.auto_generate === true,
			name: textOr(exchange.body.name, 'Name'),
		}),
	],
	[
		'difyConversation',
		'message getAll',
		'GET /messages',
		(exchange) => ({
			...ofUser(exchange),
			...listOf(exchange),
			conversationId: byId(textOr(UUID.exec(`${exchange.query}`)?.[0], SOME_ID)),
		}),
	],
	['difyConversation', 'message getSuggested', `GET /messages/${ID}/suggested`, ofMessage],
	[
		'difyConversation',
		'variable getAll',
		`GET /conversations/${ID}/variables`,
		all(ofConversation, listOf),
	],
	[
		'difyConversation',
		'variable update',
		`PUT /conversations/${ID}/variables/${ID}`,
		all(ofConversation, { variableId: byId(SOME_ID), value: 'x' }),
	],
	['difyFeedback', 'getAll', 'GET /app/feedbacks', listOf],
	['difyKnowledge', 'knowledgeBase getAll', 'GET /datasets', listOf],
	[
		'difyKnowledge',
		'knowledgeBase create',
		'POST /datasets',
		({ body }) => ({ name: textOr(body.name, 'Papers').slice(0, 40), options: {} }),
	],
	['difyKnowledge', 'knowledgeBase get', `GET ${BASE}`, ofBase],
	[
		'difyKnowledge',
		'knowledgeBase update',
		`PATCH ${BASE}`,
		all(ofBase, { options: { name: 'Papers' } }),
	],
	['difyKnowledge', 'knowledgeBase delete', `DELETE ${BASE}`, all(ofBase, { confirm: true })],
	[
		'difyKnowledge',
		'knowledgeBase retrieve',
		`POST ${BASE}/retrieve`,
		all(ofBase, search, { simplify: true }),
	],
	[
		'difyRetriever',
		'',
		`POST ${BASE}/retrieve`,
		(exchange) => ({ ...search(exchange), difyDatasetIds: [idAt(exchange, 1)] }),
	],
	[
		'difyKnowledge',
		'document getAll',
		`GET ${BASE}/documents`,
		all(ofBase, listOf, { options: {} }),
	],
	['difyKnowledge', 'document get', `GET ${DOCUMENT}`, ofDocument],
	['difyKnowledge', 'document delete', `DELETE ${DOCUMENT}`, ofDocument],
	['difyKnowledge', 'document download', `GET ${DOCUMENT}/download`, ofDocument],
	['difyKnowledge', 'document getStatus', `GET ${BASE}/documents/${ID}/indexing-status`, progress],
	[
		'difyKnowledge',
		'document setStatus',
		`PATCH ${BASE}/documents/status/(?:enable|disable|archive|un_archive)`,
		statusOf,
	],
	['difyKnowledge', 'document upsertText', `POST ${BASE}/document/create-by-text`, textDocument],
	[
		'difyKnowledge',
		'document upsertFile',
		`POST ${BASE}/document/create-by-file`,
		all(ofBase, { options: { wait: 0 } }),
	],
	['difyKnowledge', 'chunk getAll', `GET ${DOCUMENT}/segments`, all(ofDocument, listOf)],
	['difyKnowledge', 'chunk create', `POST ${DOCUMENT}/segments`, chunk],
	['difyKnowledge', 'chunk get', `GET ${CHUNK}`, ofChunk],
	[
		'difyKnowledge',
		'chunk update',
		`POST ${CHUNK}`,
		all(ofChunk, { options: { content: 'new text' } }),
	],
	['difyKnowledge', 'chunk delete', `DELETE ${CHUNK}`, ofChunk],
	['difyKnowledge', 'metadata getFields', `GET ${BASE}/metadata`, ofBase],
	[
		'difyKnowledge',
		'metadata createField',
		`POST ${BASE}/metadata`,
		all(ofBase, { name: 'land', type: 'string' }),
	],
	[
		'difyKnowledge',
		'metadata set',
		`POST ${BASE}/documents/metadata`,
		all(ofBase, {
			documentId: byId(SOME_ID),
			values: { value: [{ field: 'city', value: 'Quito' }] },
			options: {},
		}),
	],
	['difyKnowledge', 'pipeline run', 'POST /datasets/pipeline/file-upload', pipeline],
];

/** Rating and revoking use the same endpoint: the body decides. */
const RATINGS: readonly Row[] = [
	[
		'difyFeedback',
		'rate',
		`POST /messages/${ID}/feedbacks`,
		(exchange) => ({
			...ofMessage(exchange),
			rating: exchange.body.rating === 'dislike' ? 'dislike' : 'like',
			content: textOr(exchange.body.content, 'good'),
			options: {},
		}),
	],
	['difyFeedback', 'revoke', `POST /messages/${ID}/feedbacks`, ofMessage],
];

function taskOf(exchange: DifyExchange): Parameters {
	return { taskId: textOr(exchange.path.split('/')[3], SOME_ID), ...ofUser(exchange) };
}

function spoken(exchange: DifyExchange): Parameters {
	const id = exchange.body.message_id;
	const source =
		typeof id === 'string'
			? { source: 'message', messageId: UUID.test(id) ? id : SOME_ID }
			: { source: 'text', text: textOr(exchange.body.text, 'hello') };
	return { ...source, ...ofUser(exchange), options: {} };
}

function annotations(exchange: DifyExchange): Parameters {
	return { keyword: exchange.query.get('keyword') ?? '', ...listOf(exchange) };
}

function texts({ body }: DifyExchange): Parameters {
	return { question: textOr(body.question, 'why?'), answer: textOr(body.answer, 'so') };
}

/** The ID in the path is that of the batch. */
function progress(exchange: DifyExchange): Parameters {
	const batch = exchange.path.split('/')[4];
	return { ...ofBase(exchange), documentId: byId(SOME_ID), wait: 0, options: { batch } };
}

function statusOf(exchange: DifyExchange): Parameters {
	const statusAction = exchange.path.split('/').at(-1);
	return { ...ofBase(exchange), documentIds: SOME_ID, statusAction, options: { lockWait: 0 } };
}

function textDocument(exchange: DifyExchange): Parameters {
	const { name, text } = exchange.body;
	return {
		...ofBase(exchange),
		name: textOr(name, 'a.txt').slice(0, 200),
		text: textOr(text, 'llama wool'),
		options: { wait: 0 },
	};
}

function pipeline(exchange: DifyExchange): Parameters {
	const datasetLocator = exchange.path.includes('/file-upload')
		? byId(SOME_ID)
		: byId(idAt(exchange, 1));
	return { difyDatasetId: datasetLocator, pipelineTake: 'binary', datasourceNode: '' };
}

const rowOf =
	(startsRun: boolean) =>
	([node, operation, request, parameters = () => ({})]: Row): OperationRow => {
		const [method = '', path = ''] = request.split(' ');
		return { node, operation, method, path: new RegExp(`^${path}$`), parameters, startsRun };
	};

const ROWS = [...RUNS.map(rowOf(true)), ...PLAIN.map(rowOf(false))];
const [RATE, REVOKE] = RATINGS.map(rowOf(false));

/** The operations that send this request. */
export function operationsOf(exchange: DifyExchange): OperationRow[] {
	const { method, path, body } = exchange;
	const rating = 'rating' in body && body.rating === null ? REVOKE! : RATE!;
	return [...ROWS, rating].filter((row) => row.method === method && row.path.test(path));
}
