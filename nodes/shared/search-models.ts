import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { describeModel, listModels } from '../../lib/servers/model-list';
import { localLlamaServers } from '../../lib/servers/credential';
import { listModelsOf } from '../../lib/servers/pool/models';
import type { Connection } from '../../lib/http/connection';
import { listMediaModels } from '../../lib/media/models';
import type { ServerModel } from '../../lib/servers/models';
import { listModelsFor } from '../../lib/servers/purpose';
import { listError } from './list-error';

type ListModels = (connection: Connection) => Promise<ServerModel[]>;

/**
 * The models of the servers, with what they tell about them. Where there is no list, the error says why and what to do.
 */
export const searchModels = searchOf(listModels);

/** The same for models that give vectors. */
export const searchEmbeddingModels = searchOf(async (connection) => await listModelsFor(connection, 'embeddings'));

/** The same for models that give scores. */
export const searchRerankers = searchOf(async (connection) => await listModelsFor(connection, 'reranking'));

/** The same for models that make pictures. */
export const searchImageModels = searchOf(async (connection) => await listMediaModels(connection, 'images'));

/** The same for models that hear. */
export const searchTranscriptionModels = searchOf(
	async (connection) => await listMediaModels(connection, 'transcription'),
);

/** The same for models that speak. */
export const searchSpeechModels = searchOf(async (connection) => await listMediaModels(connection, 'speech'));

function searchOf(list: ListModels) {
	return async function (this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
		try {
			const credentials = await this.getCredentials('localLlamaApi');
			const { models, failed } = await listModelsOf(localLlamaServers(credentials, this.helpers), list);
			const wanted = filter?.trim().toLowerCase() ?? '';
			return {
				results: [
					...models
						.filter(({ id, aliases }) => [id, ...aliases].some((name) => name.toLowerCase().includes(wanted)))
						.map((model) => ({ name: describeModel(model), value: model.id })),
					// The list has no other place for a remark. Chosen all the same, it counts as no model.
					...failed.map(({ url, error }) => ({ name: `Not listed: ${url} (${error.message})`, value: '' })),
				],
			};
		} catch (error) {
			throw listError(this.getNode(), error, { subNode: true });
		}
	};
}
