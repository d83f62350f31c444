/** The knowledge bases to choose from in the editor. */
import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';
import { fetchAllPages } from '../../lib/dify/pages';
import { openDifyClient } from '../../lib/dify/credentials';
import { buildDatasetList } from '../../lib/dify/knowledge/datasets';
import { readEditorValue, toRecordEntry } from '../shared/dify/editor-lists';
import { withEditorCredentials } from '../../lib/n8n/editor-credential';
import { FAILED_LIST, createFailedListEntry, toListEntries } from '../../lib/n8n/list-entries';

/** All searchable knowledge bases; if the list fails, an entry with the reason. */
export async function getKnowledgeBases(
	this: ILoadOptionsFunctions,
): Promise<INodePropertyOptions[]> {
	try {
		const client = await openDifyClient(withEditorCredentials(this), 'knowledge');
		const datasets = await fetchAllPages(client, buildDatasetList());
		const options = datasets
			// Dify's API does not search external ones.
			.filter(({ provider }) => provider !== 'external')
			.map(toRecordEntry);
		return toListEntries(options);
	} catch (error) {
		return [createFailedListEntry(this.getNode(), error), ...getSelectedDatasets(this)];
	}
}

/** Entries for selected IDs; otherwise the editor shows them as "not supported". */
function getSelectedDatasets(context: ILoadOptionsFunctions): INodePropertyOptions[] {
	const ids = readEditorValue(context, 'difyDatasetIds');
	if (!Array.isArray(ids)) return [];
	return ids
		.map(String)
		.filter((id) => id !== FAILED_LIST)
		.map((id) => ({ name: id, value: id }));
}
