import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';

import { KnowledgeApi } from '../../lib/dify/knowledge/api';
import { isExternal } from '../../lib/dify/knowledge/records';
import { baseRoutes } from '../../lib/dify/knowledge/routes';
import { nonEmptyText } from '../../lib/values';
import { editorClient } from '../shared/dify/editor';
import { listError } from '../shared/list-error';

/** All knowledge bases that can be searched. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const api = new KnowledgeApi(await editorClient(this));
		const bases = await api.list(baseRoutes.list, {}, 'all');
		return bases
			.filter((base) => !isExternal(base))
			.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }));
	} catch (error) {
		throw listError(this.getNode(), error);
	}
}
