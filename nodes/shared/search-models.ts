import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { listModels, listModelsFor } from '../../lib/servers/list-models';
import { describeModel, getDisplayNames } from '../../lib/servers/model-names';
import type { ServerModel } from '../../lib/servers/models';
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
