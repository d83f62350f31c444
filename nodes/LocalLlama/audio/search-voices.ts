import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { listVoices } from '../../../lib/media/voices';
import { localLlamaServers } from '../../../lib/servers/credential';
import { listError } from '../../shared/list-error';
import { atAnyServer } from '../any-server';

/** The voices of the server for the list in the editor, of the chosen model where it wants one. */
export async function searchVoices(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
	try {
		const credentials = await this.getCredentials('localLlamaApi');
		const model = this.getCurrentNodeParameter('model', { extractValue: true });
		const servers = localLlamaServers(credentials, this.helpers);
		const name = typeof model === 'string' ? model.trim() : '';
		const voices = await atAnyServer(
			{ servers },
			name,
			async (connection, ask) => await listVoices(connection, ask.model),
		);
		const wanted = filter?.trim().toLowerCase() ?? '';
		return {
			results: voices
				.map(({ id, name, more: { language } }) => ({
					name: [name, ...(typeof language === 'string' ? [`(${language})`] : [])].join(' '),
					value: id,
				}))
				.filter((voice) => voice.name.toLowerCase().includes(wanted)),
		};
	} catch (error) {
		throw listError(this.getNode(), error);
	}
}
