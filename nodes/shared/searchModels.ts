import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { describeModel, listModels } from '../../lib/servers/model-list';
import { localLlamaConnection } from '../../lib/servers/credential';
import { listError } from './list-error';

/** The models of the server, with what it tells about them. Where there is no list, the error says why and what to do. */
export async function searchModels(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
	try {
		const credentials = await this.getCredentials('localLlamaApi');
		const models = await listModels(localLlamaConnection(credentials, this.helpers));
		const wanted = filter?.trim().toLowerCase() ?? '';
		return {
			results: models
				.filter(({ id, aliases }) => [id, ...aliases].some((name) => name.toLowerCase().includes(wanted)))
				.map((model) => ({ name: describeModel(model), value: model.id })),
		};
	} catch (error) {
		throw listError(this.getNode(), error, { subNode: true });
	}
}
