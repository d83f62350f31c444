import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { describeModel, listModels } from '../../lib/servers/model-list';
import { localLlamaConnection } from '../../lib/servers/credential';
import type { Connection } from '../../lib/http/connection';
import type { ServerModel } from '../../lib/servers/models';
import { listModelsFor } from '../../lib/servers/purpose';
import { listError } from './list-error';

type ListModels = (connection: Connection) => Promise<ServerModel[]>;

/**
 * The models of the server, with what it tells about them. Where there is no list, the error says why and what to do.
 */
export const searchModels = searchOf(listModels);

/** The same for models that give vectors. */
export const searchEmbeddingModels = searchOf(async (connection) => await listModelsFor(connection, 'embeddings'));

/** The same for models that give scores. */
export const searchRerankers = searchOf(async (connection) => await listModelsFor(connection, 'reranking'));

function searchOf(list: ListModels) {
	return async function (this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
		try {
			const credentials = await this.getCredentials('localLlamaApi');
			const models = await list(localLlamaConnection(credentials, this.helpers));
			const wanted = filter?.trim().toLowerCase() ?? '';
			return {
				results: models
					.filter(({ id, aliases }) => [id, ...aliases].some((name) => name.toLowerCase().includes(wanted)))
					.map((model) => ({ name: describeModel(model), value: model.id })),
			};
		} catch (error) {
			throw listError(this.getNode(), error, { subNode: true });
		}
	};
}
