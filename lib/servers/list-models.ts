/** The models of a server. No list loads or wakes a model. */
import { createServerError } from '../errors/create-error';
import { isErrorResponse } from '../errors/classify-error';
import type { ServerError } from '../errors/server-error';
import { toErrorContext, toResponseError } from '../http/request-errors';
import { findApiRoot } from './base-url';
import { probe } from './probe';
import { parseModels, type ServerModel } from './models';
import { getServerType, getCachedTypeName, SERVER_TYPES, cacheServerType } from './types';
import type { ModelTask, ProbeResponse, ServerType, ModelServer } from './types/server-type';

const LIST_LIMIT_MS = 10_000;
/** Lists above this are refused: they would block n8n, and nobody can choose from them. */
const MAX_MODELS = 5_000;

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
	if (use === 'reranking') assertRerankSupported(server, kind);
	const marked = await listModelsByCategory(server, kind, use, signal);
	const fit = (marked ?? models).filter((model) => supportsTask(model, use));
	if (fit.length > 0) return fit;
	// A chat may be tried with any model.
	if (use === 'chat') return models;
	throw createServerError('modelNotFound', toErrorContext(server, `${server.url.api}/models`), {
		message: `The server has no model for ${use}`,
		suggestion: `${remedyWithout(use, kind)} You can also enter a name with "By Name".`,
	});
}

/** @throws {ServerError} for a server that has no route that ranks */
export function assertRerankSupported(
	server: ModelServer,
	{ cannotRerank, label, texts }: ServerType,
): void {
	if (cannotRerank !== true) return;
	throw createServerError('featureDisabled', toErrorContext(server, server.url.api), {
		message: `${label} does not support reranking`,
		suggestion: texts.rerank,
	});
}

function supportsTask({ embeddings, isReranker, audio }: ServerModel, use: ModelTask): boolean {
	if (use === 'embeddings') return embeddings !== false && isReranker !== true;
	if (use === 'reranking') return isReranker ?? embeddings !== false;
	// Embedding models write no text, and make neither pictures nor sound.
	const writes = embeddings !== true && isReranker !== true;
	return writes && !(use === 'transcription' && audio === false);
}

function remedyWithout(use: ModelTask, { texts }: ServerType): string {
	if (use === 'chat') return texts.noModels;
	return use === 'reranking' ? texts.rerank : texts[use];
}

async function listModelsByCategory(
	server: ModelServer,
	{ modelCategories }: ServerType,
	use: ModelTask,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const word = modelCategories?.words[use];
	if (modelCategories === undefined || word === undefined) return undefined;
	const marked = await list(server, `?${modelCategories.query}=${word}`, signal).catch(
		() => undefined,
	);
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
	const first = await probe(server, `${server.url.api}/models${query}`, options);
	const reply = await findApiRoot(
		server,
		first,
		async (url) => await probe(server, url, options).catch(() => undefined),
	);
	const models = isErrorResponse(reply) ? undefined : parseModels(reply.json);
	if (models === undefined) throw createListError(server, reply);
	// An empty list tells no server apart.
	if (models.length === 0) throw noModels(server, await getServerType(server, signal));
	const kind = cacheServerType(server, reply);
	if (models.length > MAX_MODELS) throw tooMany(server, models.length);
	return { models: (await kind.enrichModels?.(server, models, signal)) ?? models, kind };
}

function createListError(server: ModelServer, reply: ProbeResponse): ServerError {
	const url = `${server.url.api}/models`;
	const { status, headers, text } = reply;
	return toResponseError(server, { url }, { status, headers: { ...headers }, text, url });
}

/** An empty list under 200: there may be none, or the key may use none. */
function noModels(server: ModelServer, { texts }: ServerType): ServerError {
	const hasKey = Object.keys(server.headers).length > 0;
	const orKey = hasKey ? ' Or the key has no access to its models.' : '';
	return createServerError('modelNotFound', toErrorContext(server, `${server.url.api}/models`), {
		message: 'The server has no models',
		suggestion: `${texts.noModels}${orKey} You can also enter a name with "By Name".`,
	});
}

function tooMany(server: ModelServer, count: number): ServerError {
	return createServerError('invalidResponse', toErrorContext(server, `${server.url.api}/models`), {
		message: `The server lists ${count} models, more than ${MAX_MODELS}`,
		suggestion: 'Enter the model name with "By Name".',
	});
}

/** The advice to use another model, by what is known of the server. */
export function getMissingModelSuggestion(server: ModelServer, model: string): string | undefined {
	const kind = getCachedTypeName(server);
	return kind === undefined
		? undefined
		: (SERVER_TYPES[kind] as ServerType).texts.missingModel?.(model);
}
