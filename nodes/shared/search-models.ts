import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { listModels, listModelsFor } from '../../lib/servers/list-models';
import { describeModel, getDisplayNames } from '../../lib/servers/model-names';
import type { ModelTask } from '../../lib/servers/types/server-type';
import { createModelServer } from '../../lib/servers/model-server';
import { toListEntries, createListError } from './list-entries';

/** List searches for models. If the list cannot be loaded, the error contains the reason and a suggestion. */
export const modelSearches = {
	searchModels: createModelSearch('chat'),
	searchAllModels: createModelSearch(),
	searchEmbeddingModels: createModelSearch('embeddings'),
	searchRerankers: createModelSearch('reranking'),
	searchImageModels: createModelSearch('images'),
	searchTranscriptionModels: createModelSearch('transcription'),
	searchSpeechModels: createModelSearch('speech'),
};

/** Single searches, for nodes that need only these. */
export const { searchModels, searchEmbeddingModels, searchRerankers } = modelSearches;

function createModelSearch(task?: ModelTask) {
	return async function (this: ILoadOptionsFunctions, filter = ''): Promise<INodeListSearchResult> {
		try {
			const server = createModelServer(await this.getCredentials('localLlamaApi'), this.helpers);
			const models =
				task === undefined ? await listModels(server) : await listModelsFor(server, task);
			const query = filter.trim().toLowerCase();
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
