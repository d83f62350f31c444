/** Lists the models of a server, without loading or waking one. */
import type { ListIssue } from '../errors/issues';
import { toKnownServer } from './known-server';
import { createServerError } from '../errors/create-error';
import { isErrorResponse } from '../errors/error-body';
import { toErrorContext } from '../http/request-errors';
import { probe, toProbeError, tryProbe } from './probe';
import { toListUrl } from './server-urls';
import type { ServerModel } from './server-model';
import { sortForChat } from '../errors/other-models';
import { withoutFailedModels } from './model-selection';
import { isSameModelName, matchesModel } from './model-names';
import { parseModels } from './parse-models';
import type { ApiRoot } from './profile';
import { getProfile } from './profile';
import type {
	ModelTask,
	ProbeResponse,
	QueryOptions,
	ServerType,
	ModelServer,
} from './types/server-type';
import { TASK_LIMITS } from '../task-limits';

/** Which models are listed, and how they are requested. */
export interface ListOptions extends QueryOptions {
	/**
	 * Only models that have not failed and support it, as far as the server reports: by categories (GPUStack), the
	 * arguments of a router, capabilities (Ollama), or types of input. All models if it reports nothing.
	 */
	modelTask?: ModelTask;
}

/**
 * The models of a server, with the facts that it reports.
 *
 * @throws a `ServerError` if there is no list, or no model.
 */
export async function listModels(
	server: ModelServer,
	{ modelTask, ...options }: ListOptions = {},
): Promise<ServerModel[]> {
	const { models: listedModels, serverType } = await fetchModelList(server, options);
	if (modelTask === undefined) return listedModels;
	const models = withoutFailedModels(listedModels);
	if (modelTask === 'reranking') assertRerankSupported(server, serverType);
	const query = serverType.listQueries?.[modelTask];
	const categorized =
		query === undefined
			? undefined
			: await fetchModelList(server, { ...options, query }).catch(() => undefined);
	const candidates = withoutFailedModels(categorized?.models ?? models);
	const matching = candidates.filter((model) => supportsTask(model, modelTask));
	// They may be tried with any model: not every server says what its models are for.
	if (modelTask === 'chat' || modelTask === 'classification' || modelTask === 'decisions')
		return sortForChat(matching.length > 0 ? matching : models, ({ id }) => id);
	if (matching.length > 0) return matching;
	throw createListError(server, serverType, {
		kind: 'noneFor',
		purpose: modelTask,
		task: TASK_OF_LIST[modelTask],
	});
}

/** @throws a `ServerError` of type `featureDisabled` for a server without a rerank route. */
export function assertRerankSupported(server: ModelServer, serverType: ServerType): void {
	if (serverType.texts.tasks.rerank.needs === 'model') return;
	throw createServerError('featureDisabled', toErrorContext(server, { url: server.getApiUrl() }), {
		about: { listIssue: { kind: 'noReranking' }, server: toKnownServer(serverType) },
	});
}

/** What a list for a task is about, if it has none. */
const TASK_OF_LIST: Readonly<
	Record<
		Exclude<ModelTask, 'chat' | 'classification' | 'decisions'>,
		keyof ServerType['texts']['tasks']
	>
> = {
	embeddings: 'embeddings',
	reranking: 'rerank',
	images: 'images',
	transcription: 'transcription',
	speech: 'speech',
};

function supportsTask(model: ServerModel, modelTask: ModelTask) {
	const { embeddings, isReranker, audio, decisions, writesText } = model;
	if (modelTask === 'decisions') return decisions === true;
	if (modelTask === 'classification' && decisions === true) return true;
	if (writesText === false) return false;
	if (modelTask === 'embeddings') return embeddings !== false && isReranker !== true;
	if (modelTask === 'reranking') return isReranker ?? embeddings !== false;
	// Embedding models generate no text, images or audio.
	const generatesText = embeddings !== true && isReranker !== true;
	return generatesText && !(modelTask === 'transcription' && audio === false);
}

async function fetchModelList(server: ModelServer, { query, ...options }: ListQuery) {
	const profile = getProfile(server);
	const { list: response } = await fetchApiRoot(server, { ...options, query });
	const models = isErrorResponse(response) ? undefined : parseModels(response.json);
	if (models === undefined) throw toProbeError(server, toListUrl(server), response);
	// An empty list does not identify the server: there are no models, or the key has no access to them.
	if (models.length === 0) {
		const hasKey = Object.keys(server.headers).length > 0;
		throw createListError(server, await profile.fetchType(options.signal), {
			kind: 'empty',
			hasKey,
		});
	}
	const serverType = profile.learnType(response);
	const { entries: maximum } = TASK_LIMITS.probe;
	if (models.length > maximum)
		throw createListError(server, serverType, {
			kind: 'tooLong',
			count: models.length,
			maximum,
		});
	const enriched = await serverType.enrichModels?.(server, models, options);
	return { models: enriched ?? models, serverType };
}

/** A request for a model list. */
interface ListQuery extends QueryOptions {
	/** Of the URL of the list. Default: none. */
	query?: string;
}

/**
 * The model list, and where the API may be.
 *
 * @throws a `ServerError` if there is no response.
 */
export async function fetchApiRoot(
	server: ModelServer,
	{ query = '', ...options }: ListQuery = {},
): Promise<ApiRoot<ProbeResponse>> {
	const profile = getProfile(server);
	const list = await probe(server, toListUrl(server) + query, options).catch((error: unknown) => {
		profile.forgetApiRoot();
		throw error;
	});
	return await profile.probeApiRoot(list, (url) => tryProbe(server, url, options));
}

function createListError(server: ModelServer, serverType: ServerType, listIssue: ListIssue) {
	const context = toErrorContext(server, { url: toListUrl(server) });
	const type = listIssue.kind === 'tooLong' ? 'invalidResponse' : 'modelNotFound';
	return createServerError(type, context, {
		about: { listIssue, server: toKnownServer(serverType) },
	});
}

/** The names of a model in a request and in its response. */
export interface ModelNames {
	requested: string;
	reported: string;
}

/**
 * The model that a response names, if it is not the requested one. Gateways report their own names; another server does
 * so if it lists the requested name, but not the reported one.
 *
 * @returns undefined for the requested model, and if the names may mean the same.
 */
export async function findOtherModel(
	server: ModelServer,
	{ requested, reported }: ModelNames,
	signal?: AbortSignal,
): Promise<string | undefined> {
	if (isSameName(reported, requested)) return undefined;
	const profile = getProfile(server);
	const { isGateway } = await profile.fetchType(signal);
	if (isGateway === true) return undefined;
	const list = await tryProbe(server, toListUrl(server), { signal });
	const models = parseModels(list?.json) ?? [];
	const requestedModel = models.find((model) => matchesModel(model, requested, isSameName));
	if (requestedModel === undefined) return reported;
	const isListed = models.some((model) => matchesModel(model, reported, isSameName));
	return isListed && !matchesModel(requestedModel, reported, isSameName) ? reported : undefined;
}

/** By their file names, before a tag. */
function isSameName(a: string, b: string) {
	const toName = (name: string) => name.split(/[/\\]/).at(-1)!.split(':')[0]!;
	return isSameModelName(toName(a), toName(b));
}
