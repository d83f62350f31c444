import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { asFailed } from '../../lib/errors/server-error';
import { contextOf } from '../../lib/http/request-errors';
import type { Timeouts } from '../../lib/http/timeouts';
import { RetryPolicy } from '../../lib/http/retry-policy';
import { pauseFor } from '../../lib/http/sleep';
import { fetchOnce, memoized } from '../../lib/lru-cache';
import { listModels, listModelsFor } from '../../lib/servers/list-models';
import { describeModel, onlyModel, shortModelNames } from '../../lib/servers/model-names';
import type { ServerModel } from '../../lib/servers/models';
import { kindOf } from '../../lib/servers/types';
import type { ModelTask, ModelServer } from '../../lib/servers/types/server-type';
import { serverOf } from '../../lib/servers/model-server';
import { listEntries, listError } from './list-entries';

/** List searches for models. Where there is no list, the error says why and what to do. */
export const modelSearches = {
	searchModels: searchFor('chat'),
	searchAllModels: searchOf(listModels),
	searchEmbeddingModels: searchFor('embeddings'),
	searchRerankers: searchFor('reranking'),
	searchImageModels: searchFor('images'),
	searchTranscriptionModels: searchFor('transcription'),
	searchSpeechModels: searchFor('speech'),
};

/** Single searches, for nodes that need only these. */
export const { searchModels, searchEmbeddingModels, searchRerankers } = modelSearches;

function searchFor(use: ModelTask) {
	return searchOf(async (server) => await listModelsFor(server, use));
}

function searchOf(list: (server: ModelServer) => Promise<ServerModel[]>) {
	return async function (
		this: ILoadOptionsFunctions,
		filter?: string,
	): Promise<INodeListSearchResult> {
		try {
			const server = serverOf(await this.getCredentials('localLlamaApi'), this.helpers);
			const models = await list(server);
			const wanted = filter?.trim().toLowerCase() ?? '';
			const names = shortModelNames(models.map(({ id }) => id));
			const found = models.filter(({ id, aliases }) =>
				[id, ...aliases].some((name) => name.toLowerCase().includes(wanted)),
			);
			const entries = found.map((model) => ({
				name: describeModel(model, names.get(model.id)),
				value: model.id,
			}));
			return { results: listEntries(entries) };
		} catch (error) {
			throw listError(this.getNode(), error);
		}
	};
}

interface ModelSettings {
	model: string;
	limits?: Partial<Timeouts>;
	retries?: number;
}

const chosenOn = memoized<ModelServer, Map<ModelTask, Promise<string>>>(() => new Map());

/**
 * Adds the model to settings: the chosen one, else the loaded one, or the only one for the use. The server is asked
 * once for all items of an execution, with the retries of the request.
 *
 * @throws {ServerError} listing the models, where there are several
 */
export async function withChosenModel<T extends ModelSettings>(
	settings: T,
	server: ModelServer,
	use: ModelTask,
	signal?: AbortSignal,
): Promise<T> {
	if (settings.model !== '') return settings;
	const choose = async () =>
		await patiently(settings, signal, async () => await onlyModelFor(server, use, signal));
	return { ...settings, model: await fetchOnce(chosenOn(server), use, choose) };
}

async function patiently<T>(
	{ limits, retries = 0 }: ModelSettings,
	signal: AbortSignal | undefined,
	ask: () => Promise<T>,
): Promise<T> {
	const endsAt = performance.now() + (limits?.firstTokenMs || Infinity);
	const policy = new RetryPolicy(retries, true);
	for (;;) {
		const outcome = await ask().then((value) => ({ value }), asFailed);
		if ('value' in outcome) return outcome.value;
		await pauseFor(policy.pauseAfter(outcome.failed, endsAt - performance.now()), signal);
	}
}

const MAY_NEED_NO_NAME: ReadonlySet<ModelTask> = new Set(['images', 'transcription', 'speech']);

async function onlyModelFor(
	server: ModelServer,
	use: ModelTask,
	signal: AbortSignal | undefined,
): Promise<string> {
	const context = contextOf(server, `${server.url.api}/models`);
	if (!MAY_NEED_NO_NAME.has(use))
		return onlyModel(await listModelsFor(server, use, signal), context);
	// A server of one model for pictures or sound needs no name, and may have no list.
	const models = await listModelsFor(server, use, signal).catch(asFailed);
	signal?.throwIfAborted();
	if ('failed' in models) return '';
	const { marks } = await kindOf(server, signal);
	return models.length === 1 || marks !== undefined ? onlyModel(models, context) : '';
}
