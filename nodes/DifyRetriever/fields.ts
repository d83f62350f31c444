/** Fields of Dify Retriever. */
import type { FieldTable, ValueSource } from '../../lib/fields/field';
import { createEmptyFieldError, createFieldError } from '../../lib/fields/field-errors';
import { parseUuid } from '../../lib/dify/ids';
import { isUnset } from '../../lib/values/records';
import { searchFields } from '../shared/dify/search-fields';
import { FAILED_LIST, createFailedListEntry, toListEntries } from '../../lib/n8n/list-entries';
import type { ILoadOptionsFunctions, INodePropertyOptions } from 'n8n-workflow';
import { fetchAllPages } from '../../lib/dify/pages';
import { openDifyClient } from '../../lib/dify/credentials';
import { buildDatasetList } from '../../lib/dify/knowledge/datasets';
import { readEditorValue, toRecordEntry } from '../shared/dify/editor-lists';
import { withEditorCredentials } from '../../lib/n8n/editor-credential';

export const fields = {
	notice: {
		kind: 'notice',
		label:
			'Connect this node to a Question and Answer Chain. For an agent, use Dify Knowledge as a tool instead: the agent can then write its own queries.',
	},
	difyDatasetIds: {
		kind: 'loadedChoices',
		label: 'Knowledge Base Names or IDs',
		load: 'getKnowledgeBases',
		required: true,
		description:
			'Knowledge bases to search. Choose from the list, or specify IDs using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
		parse: parseDatasetIds,
	},
	...searchFields,
} as const satisfies FieldTable;

function parseDatasetIds(value: unknown, { label }: ValueSource): string[] {
	const selectedIds = [value].flat().filter((id) => !isUnset(id));
	if (selectedIds.includes(FAILED_LIST)) {
		throw createFieldError(
			{ label },
			'contains the error message of a list that could not be loaded',
			'Remove this entry, reload the list, and select a knowledge base.',
		);
	}
	if (selectedIds.length === 0)
		throw createEmptyFieldError({ label }, 'Select at least one knowledge base.');
	return [...new Set(selectedIds.map((id) => parseUuid(id, 'knowledge base ID')))];
}

/** The knowledge bases to choose from in the editor: all searchable ones; if the list fails, an entry with the reason. */
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
