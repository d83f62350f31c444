/** The search in the list of voices. */
import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { listVoices } from '../../../lib/servers/list-voices';
import { createListError, toListEntries } from '../../../lib/n8n/list-entries';
import { openListedServer } from './model-selection';

/** The voices whose name contains the filter. */
export async function searchVoices(
	this: ILoadOptionsFunctions,
	filter = '',
): Promise<INodeListSearchResult> {
	try {
		const voices = await listVoices(await openListedServer(this));
		const query = filter.trim().toLowerCase();
		const matches = voices.filter(({ label }) => label.toLowerCase().includes(query));
		return { results: toListEntries(matches.map(({ id, label }) => ({ name: label, value: id }))) };
	} catch (error) {
		throw createListError(this.getNode(), error);
	}
}
