import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { captureError } from '../../lib/errors/server-error';
import { toErrorContext } from '../../lib/http/request-errors';
import type { Timeouts } from '../../lib/http/timeouts';
import { RetryPolicy } from '../../lib/http/retry-policy';
import { sleepWithAbort } from '../../lib/http/sleep';
import { fetchOnce, memoize } from '../../lib/lru-cache';
import { listModels, listModelsFor } from '../../lib/servers/list-models';
import { describeModel, selectOnlyModel, getDisplayNames } from '../../lib/servers/model-names';
import type { ServerModel } from '../../lib/servers/models';
import { getServerType } from '../../lib/servers/types';
import type { ModelTask, ModelServer } from '../../lib/servers/types/server-type';
import { createModelServer } from '../../lib/servers/model-server';
import { toListEntries, createListError } from './list-entries';

/** List searches for models. If the list cannot be loaded, the error contains the reason and a suggestion. */
export const modelSearches = {
	searchModels: searchFor('chat'),
	searchAllModels: createModelSearch(listModels),
	searchEmbeddingModels: searchFor('embeddings'),
	searchRerankers: searchFor('reranking'),
	searchImageModels: searchFor('images'),
	searchTranscriptionModels: searchFor('transcription'),
	searchSpeechModels: searchFor('speech'),
};

/** Single searches, for nodes that need only these. */
export const { searchModels, searchEmbeddingModels, searchRerankers } = modelSearches;

function searchFor(task: ModelTask) {
	return createModelSearch(async (server) => await listModelsFor(server, task));
}

function createModelSearch(list: (server: ModelServer) => Promise<ServerModel[]>) {
	return async function (
		this: ILoadOptionsFunctions,
		filter?: string,
	): Promise<INodeListSearchResult> {
		try {
			const server = createModelServer(await this.getCredentials('localLlamaApi'), this.helpers);
			const models = await list(server);
			const query = filter?.trim().toLowerCase() ?? '';
			const names = getDisplayNames(models.map(({ id }) => id));
			const matches = models.filter(({ id, aliases }) =>
				[id, ...aliases].some((name) => name.toLowerCase().includes(query)),
			);
			const entries = matches.map((model) => ({
				name: describeModel(model, names.get(model.id)),
				value: model.id,
			}));
			return { results: toListEntries(entries) };
		} catch (error) {
			throw createListError(this.getNode(), error);
		}
	};
}

interface ModelSettings {
	model: string;
	timeouts?: Partial<Timeouts>;
	retries?: number;
}

const modelCache = memoize<ModelServer, Map<ModelTask, Promise<string>>>(() => new Map());

/**
 * Adds the model to settings: the selected one, otherwise the loaded one, or the only one for the task. Its list is
 * requested once for all items of an execution, with the retries of the request.
 *
 * @throws {ServerError} listing the models, if there are several
 */
export async function withResolvedModel<T extends ModelSettings>(
	settings: T,
	server: ModelServer,
	task: ModelTask,
	signal?: AbortSignal,
): Promise<T> {
	if (settings.model !== '') return settings;
	const resolve = async () =>
		await retryTransient(
			settings,
			signal,
			async () => await resolveOnlyModel(server, task, signal),
		);
	return { ...settings, model: await fetchOnce(modelCache(server), task, resolve) };
}

async function retryTransient<T>(
	{ timeouts, retries = 0 }: ModelSettings,
	signal: AbortSignal | undefined,
	request: () => Promise<T>,
): Promise<T> {
	const endsAt = performance.now() + (timeouts?.firstTokenMs || Infinity);
	const policy = new RetryPolicy(retries, true);
	for (;;) {
		const result = await request().then((value) => ({ value }), captureError);
		if ('value' in result) return result.value;
		await sleepWithAbort(policy.nextDelayMs(result.failed, endsAt - performance.now()), signal);
	}
}

const NAME_OPTIONAL_TASKS: ReadonlySet<ModelTask> = new Set(['images', 'transcription', 'speech']);

async function resolveOnlyModel(
	server: ModelServer,
	task: ModelTask,
	signal: AbortSignal | undefined,
): Promise<string> {
	const context = toErrorContext(server, `${server.url.api}/models`);
	if (!NAME_OPTIONAL_TASKS.has(task))
		return selectOnlyModel(await listModelsFor(server, task, signal), context);
	// A server with one model for images or audio needs no name, and may have no list.
	const models = await listModelsFor(server, task, signal).catch(captureError);
	signal?.throwIfAborted();
	if ('failed' in models) return '';
	const { modelCategories } = await getServerType(server, signal);
	return models.length === 1 || modelCategories !== undefined
		? selectOnlyModel(models, context)
		: '';
}
