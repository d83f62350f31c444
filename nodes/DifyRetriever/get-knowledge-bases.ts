import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';

import { KnowledgeApi } from '../../lib/dify/knowledge/api';
import { isExternal, listBases } from '../../lib/dify/knowledge/bases';
import { nonEmptyText } from '../../lib/values';
import { editorClient } from '../shared/dify/editor';
import { listError } from '../shared/list-error';

/** All knowledge bases that can be searched. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const bases = await listBases(new KnowledgeApi(await editorClient(this)), 'all');
		return bases
			.filter((base) => !isExternal(base))
			.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }));
	} catch (error) {
		throw listError(this.getNode(), error, { subNode: true });
	}
}
