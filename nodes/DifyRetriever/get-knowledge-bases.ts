import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';

import { buildDatasetList } from '../../lib/dify/knowledge/documents';
import { fetchAllPages } from '../../lib/dify/pagination';
import { asNonEmptyString } from '../../lib/values';
import { createEditorClient, readEditorValue } from '../shared/dify/list-search';
import { FAILED_LIST, createFailedListEntry, toListEntries } from '../shared/list-entries';

/** All knowledge bases that can be searched; where Dify cannot list them, an entry that says why. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const bases = await fetchAllPages(await createEditorClient(this), buildDatasetList());
		const named = bases
			// Dify does not search external ones over its API.
			.filter(({ provider }) => provider !== 'external')
			.map(({ id, name }) => ({ name: asNonEmptyString(name) ?? String(id), value: String(id) }));
		return toListEntries(named);
	} catch (error) {
		return [createFailedListEntry(this.getNode(), error), ...chosenBases(this)];
	}
}

/** Bases that are chosen already. Without an entry, the editor calls them "not supported". */
function chosenBases(context: ILoadOptionsFunctions): INodePropertyOptions[] {
	const ids = readEditorValue(context, 'difyDatasetIds');
	if (!Array.isArray(ids)) return [];
	return ids
		.map(String)
		.filter((id) => id !== FAILED_LIST)
		.map((id) => ({ name: id, value: id }));
}
