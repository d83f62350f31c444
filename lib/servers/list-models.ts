/** Lists the models of a server, without loading or waking one. */
import { createServerError } from '../errors/create-error';
import { isErrorResponse } from '../errors/classify-error';
import type { ErrorType } from '../errors/error-types';
import type { ServerError } from '../errors/server-error';
import { toErrorContext } from '../http/request-errors';
import { probe, toProbeError, tryProbe } from './probe';
import { sortForChat } from './model-names';
import { parseModels, type ServerModel } from './models';
import { getProfile } from './profile';
import type { ModelTask, ServerType, ModelServer } from './types/server-type';

const LIST_TIMEOUT_MS = 10_000;
/** Longer lists are rejected: they would block n8n, and are too long to select from. */
const MAX_MODELS = 5_000;

/**
 * The models of a server, with the facts that it reports.
 *
 * @throws {ServerError} if there is no list, or an empty one
 */
export async function listModels(
	server: ModelServer,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	return (await fetchModelList(server, '', signal)).models;
}

/**
 * The models for a task, as far as the server reports: by categories (GPUStack), the arguments of a router, capabilities
 * (Ollama), or types of input. All models if it reports nothing.
 *
 * @throws {ServerError} also if there is none
 */
export async function listModelsFor(
	server: ModelServer,
	task: ModelTask,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const { models, serverType } = await fetchModelList(server, '', signal);
	if (task === 'reranking') assertRerankSupported(server, serverType);
	const categorized = await listModelsByCategory(server, serverType, task, signal);
	const matching = (categorized ?? models).filter((model) => supportsTask(model, task));
	// A chat may be tried with any model.
	if (task === 'chat') return sortForChat(matching.length > 0 ? matching : models, ({ id }) => id);
	if (matching.length > 0) return matching;
	const suggestion = serverType.texts[task === 'reranking' ? 'rerank' : task];
	throw createListError(server, 'modelNotFound', `The server has no model for ${task}`, suggestion);
}

/** @throws {ServerError} for a server without a rerank route */
export function assertRerankSupported(
	server: ModelServer,
	{ cannotRerank, label, texts }: ServerType,
): void {
	if (cannotRerank !== true) return;
	throw createServerError('featureDisabled', toErrorContext(server, server.getApiUrl()), {
		title: `${label} does not support reranking`,
		suggestion: texts.rerank,
	});
}

function supportsTask({ embeddings, isReranker, audio }: ServerModel, task: ModelTask): boolean {
	if (task === 'embeddings') return embeddings !== false && isReranker !== true;
	if (task === 'reranking') return isReranker ?? embeddings !== false;
	// Embedding models generate no text, images or audio.
	const generatesText = embeddings !== true && isReranker !== true;
	return generatesText && !(task === 'transcription' && audio === false);
}

async function listModelsByCategory(
	server: ModelServer,
	{ listQueries }: ServerType,
	task: ModelTask,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const query = listQueries?.[task];
	if (query === undefined) return undefined;
	const categorized = await fetchModelList(server, query, signal).catch(() => undefined);
	return categorized?.models;
}

async function fetchModelList(
	server: ModelServer,
	query: string,
	signal: AbortSignal | undefined,
): Promise<{ models: ServerModel[]; serverType: ServerType }> {
	const options = { timeoutMs: LIST_TIMEOUT_MS, signal };
	const profile = getProfile(server);
	const response = await profile.findApiRoot(
		await probe(server, toListUrl(server) + query, options),
		async (url) => await tryProbe(server, url, options),
	);
	const models = isErrorResponse(response) ? undefined : parseModels(response.json);
	if (models === undefined) throw toProbeError(server, toListUrl(server), response);
	// An empty list does not identify the server.
	if (models.length === 0) throw createNoModelsError(server, await profile.getType(signal));
	const serverType = profile.learnType(response);
	if (models.length > MAX_MODELS)
		throw createListError(
			server,
			'invalidResponse',
			`The server lists ${models.length} models, more than ${MAX_MODELS}`,
		);
	const enriched = await serverType.enrichModels?.(server, models, signal);
	return { models: enriched ?? models, serverType };
}

/** An empty list with 200: there are no models, or the key has no access to them. */
function createNoModelsError(server: ModelServer, { texts }: ServerType): ServerError {
	const hasKey = Object.keys(server.headers).length > 0;
	const suggestion = `${texts.noModels}${hasKey ? ' Or the key has no access to its models.' : ''}`;
	return createListError(server, 'modelNotFound', 'The server has no models', suggestion);
}

function createListError(
	server: ModelServer,
	type: ErrorType,
	title: string,
	suggestion?: string,
): ServerError {
	const nameSuggestion =
		suggestion === undefined
			? 'Enter the model name with "By Name".'
			: `${suggestion} You can also enter a name with "By Name".`;
	const context = toErrorContext(server, toListUrl(server));
	return createServerError(type, context, { title, suggestion: nameSuggestion });
}

function toListUrl(server: ModelServer): string {
	return `${server.getApiUrl()}/models`;
}
