/** The voice of speech: its field, and the search in its list. */
import type { ILoadOptionsFunctions, INodeListSearchResult, INodeProperties } from 'n8n-workflow';
import { listVoices } from '../../lib/servers/list-voices';
import { resourceLocatorField } from './field-builders';
import { createListError, toListEntries } from './list-entries';
import { openListedServer } from './model-selection';

/** The voice, from the server's list or by its name. */
export const voiceField: INodeProperties = resourceLocatorField(
	'Voice',
	'voice',
	'searchVoices',
	{
		placeholder: "The server's default, or select one…",
		description:
			'The voice that speaks. Some servers list theirs; enter the name for others. If empty, the server decides or asks for one.',
	},
	{ displayName: 'By Name', placeholder: 'e.g. af_heart' },
);

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
