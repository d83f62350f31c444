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

/** List searches for models. Where there is no list, the error says why and what to do. */
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

function searchFor(use: ModelTask) {
	return createModelSearch(async (server) => await listModelsFor(server, use));
}

function createModelSearch(list: (server: ModelServer) => Promise<ServerModel[]>) {
	return async function (
		this: ILoadOptionsFunctions,
		filter?: string,
	): Promise<INodeListSearchResult> {
		try {
			const server = createModelServer(await this.getCredentials('localLlamaApi'), this.helpers);
			const models = await list(server);
			const wanted = filter?.trim().toLowerCase() ?? '';
			const names = getDisplayNames(models.map(({ id }) => id));
			const found = models.filter(({ id, aliases }) =>
				[id, ...aliases].some((name) => name.toLowerCase().includes(wanted)),
			);
			const entries = found.map((model) => ({
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
	limits?: Partial<Timeouts>;
	retries?: number;
}

const modelCache = memoize<ModelServer, Map<ModelTask, Promise<string>>>(() => new Map());

/**
 * Adds the model to settings: the chosen one, else the loaded one, or the only one for the use. The server is asked
 * once for all items of an execution, with the retries of the request.
 *
 * @throws {ServerError} listing the models, where there are several
 */
export async function withResolvedModel<T extends ModelSettings>(
	settings: T,
	server: ModelServer,
	use: ModelTask,
	signal?: AbortSignal,
): Promise<T> {
	if (settings.model !== '') return settings;
	const choose = async () =>
		await retryTransient(settings, signal, async () => await resolveOnlyModel(server, use, signal));
	return { ...settings, model: await fetchOnce(modelCache(server), use, choose) };
}

async function retryTransient<T>(
	{ limits, retries = 0 }: ModelSettings,
	signal: AbortSignal | undefined,
	ask: () => Promise<T>,
): Promise<T> {
	const endsAt = performance.now() + (limits?.firstTokenMs || Infinity);
	const policy = new RetryPolicy(retries, true);
	for (;;) {
		const outcome = await ask().then((value) => ({ value }), captureError);
		if ('value' in outcome) return outcome.value;
		await sleepWithAbort(policy.nextDelayMs(outcome.failed, endsAt - performance.now()), signal);
	}
}

const NAME_OPTIONAL_TASKS: ReadonlySet<ModelTask> = new Set(['images', 'transcription', 'speech']);

async function resolveOnlyModel(
	server: ModelServer,
	use: ModelTask,
	signal: AbortSignal | undefined,
): Promise<string> {
	const context = toErrorContext(server, `${server.url.api}/models`);
	if (!NAME_OPTIONAL_TASKS.has(use))
		return selectOnlyModel(await listModelsFor(server, use, signal), context);
	// A server of one model for pictures or sound needs no name, and may have no list.
	const models = await listModelsFor(server, use, signal).catch(captureError);
	signal?.throwIfAborted();
	if ('failed' in models) return '';
	const { modelCategories } = await getServerType(server, signal);
	return models.length === 1 || modelCategories !== undefined
		? selectOnlyModel(models, context)
		: '';
}
