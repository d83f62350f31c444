import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';

import { basesOf } from '../../lib/dify/knowledge/documents';
import { readList } from '../../lib/dify/pagination';
import { nonEmptyText } from '../../lib/values';
import { editorClient, editorValue } from '../shared/dify/list-search';
import { FAILED_LIST, failedListEntry, listEntries } from '../shared/list-entries';

/** All knowledge bases that can be searched; where Dify cannot list them, an entry that says why. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const bases = await readList(await editorClient(this), basesOf());
		const named = bases
			// Dify does not search external ones over its API.
			.filter(({ provider }) => provider !== 'external')
			.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }));
		return listEntries(named);
	} catch (error) {
		return [failedListEntry(this.getNode(), error), ...chosenBases(this)];
	}
}

/** Bases that are chosen already. Without an entry, the editor calls them "not supported". */
function chosenBases(context: ILoadOptionsFunctions): INodePropertyOptions[] {
	const ids = editorValue(context, 'difyDatasetIds');
	if (!Array.isArray(ids)) return [];
	return ids
		.map(String)
		.filter((id) => id !== FAILED_LIST)
		.map((id) => ({ name: id, value: id }));
}
