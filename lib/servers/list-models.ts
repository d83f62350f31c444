/** The models of a server. No list loads or wakes a model. */
import { failure } from '../errors/create-error';
import { isRefusal } from '../errors/classify-error';
import type { ServerError } from '../errors/server-error';
import { contextOf, refusal } from '../http/request-errors';
import { findApiRoot } from './base-url';
import { look } from './probe';
import { readModels, type ServerModel } from './models';
import { kindOf, knownKind, KINDS, learnKind } from './types';
import type { ModelTask, ProbeResponse, ServerType, ModelServer } from './types/server-type';

const LIST_LIMIT_MS = 10_000;
/** Lists above this are refused: they would block n8n, and nobody can choose from them. */
const MOST_MODELS = 5_000;

/**
 * The models of a server, with what it tells about them.
 *
 * @throws {ServerError} if there is no list, or an empty one
 */
export async function listModels(
	server: ModelServer,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	return (await list(server, '', signal)).models;
}

/**
 * The models that may serve a use, as far as the server tells: by its own marks (GPUStack), the arguments of a router,
 * capabilities (Ollama), or types of input. All where it tells nothing.
 *
 * @throws {ServerError} also if there is none
 */
export async function listModelsFor(
	server: ModelServer,
	use: ModelTask,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const { models, kind } = await list(server, '', signal);
	if (use === 'reranking') requireRanking(server, kind);
	const marked = await markedModels(server, kind, use, signal);
	const fit = (marked ?? models).filter((model) => mayServe(model, use));
	if (fit.length > 0) return fit;
	// A chat may be tried with any model.
	if (use === 'chat') return models;
	throw failure('modelNotFound', contextOf(server, `${server.url.api}/models`), {
		message: `The server has no model for ${use}`,
		remedy: `${remedyWithout(use, kind)} You can also enter a name with "By Name".`,
	});
}

/** @throws {ServerError} for a server that has no route that ranks */
export function requireRanking(
	server: ModelServer,
	{ cannotRerank, label, words }: ServerType,
): void {
	if (cannotRerank !== true) return;
	throw failure('notSupported', contextOf(server, server.url.api), {
		message: `${label} does not support reranking`,
		remedy: words.rerank,
	});
}

function mayServe({ embeddings, reranks, audio }: ServerModel, use: ModelTask): boolean {
	if (use === 'embeddings') return embeddings !== false && reranks !== true;
	if (use === 'reranking') return reranks ?? embeddings !== false;
	// Embedding models write no text, and make neither pictures nor sound.
	const writes = embeddings !== true && reranks !== true;
	return writes && !(use === 'transcription' && audio === false);
}

function remedyWithout(use: ModelTask, { words }: ServerType): string {
	if (use === 'chat') return words.noModels;
	return use === 'reranking' ? words.rerank : words[use];
}

async function markedModels(
	server: ModelServer,
	{ marks }: ServerType,
	use: ModelTask,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const word = marks?.words[use];
	if (marks === undefined || word === undefined) return undefined;
	const marked = await list(server, `?${marks.query}=${word}`, signal).catch(() => undefined);
	return marked?.models;
}

interface ModelList {
	models: ServerModel[];
	kind: ServerType;
}

async function list(
	server: ModelServer,
	query: string,
	signal: AbortSignal | undefined,
): Promise<ModelList> {
	const options = { limitMs: LIST_LIMIT_MS, signal };
	const first = await look(server, `${server.url.api}/models${query}`, options);
	const reply = await findApiRoot(
		server,
		first,
		async (url) => await look(server, url, options).catch(() => undefined),
	);
	const models = isRefusal(reply) ? undefined : readModels(reply.json);
	if (models === undefined) throw refusedList(server, reply);
	// An empty list tells no server apart.
	if (models.length === 0) throw noModels(server, await kindOf(server, signal));
	const kind = learnKind(server, reply);
	if (models.length > MOST_MODELS) throw tooMany(server, models.length);
	return { models: (await kind.details?.(server, models, signal)) ?? models, kind };
}

function refusedList(server: ModelServer, reply: ProbeResponse): ServerError {
	const url = `${server.url.api}/models`;
	const { status, headers, text } = reply;
	return refusal(server, { url }, { status, headers: { ...headers }, text, url });
}

/** An empty list under 200: there may be none, or the key may use none. */
function noModels(server: ModelServer, { words }: ServerType): ServerError {
	const hasKey = Object.keys(server.headers).length > 0;
	const orKey = hasKey ? ' Or the key has no access to its models.' : '';
	return failure('modelNotFound', contextOf(server, `${server.url.api}/models`), {
		message: 'The server has no models',
		remedy: `${words.noModels}${orKey} You can also enter a name with "By Name".`,
	});
}

function tooMany(server: ModelServer, count: number): ServerError {
	return failure('invalidAnswer', contextOf(server, `${server.url.api}/models`), {
		message: `The server lists ${count} models, more than ${MOST_MODELS}`,
		remedy: 'Enter the model name with "By Name".',
	});
}

/** The advice to use another model, by what is known of the server. */
export function missingModelWords(server: ModelServer, model: string): string | undefined {
	const kind = knownKind(server);
	return kind === undefined ? undefined : (KINDS[kind] as ServerType).words.missingModel?.(model);
}
