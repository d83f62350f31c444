import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { refusedHere } from '../../lib/dify/failure';
import { optionalUuid } from '../../lib/dify/ids';
import { listVariables } from '../../lib/dify/variables';
import { editorClient } from '../shared/dify/apps';
import { editorUser, editorValue } from '../shared/dify/search-conversations';
import { listError } from '../shared/list-error';

/** Variables of the conversation in the node. */
export async function searchVariables(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult> {
	try {
		const client = await editorClient(this);
		const conversationId = optionalUuid(editorValue(this, 'conversationId'), 'conversation ID');
		if (conversationId === undefined)
			throw refusedHere(
				'invalidId',
				'The list needs a conversation',
				'Choose it in Conversation first, or give the variable by name.',
			);
		const wanted = filter?.trim().toLowerCase() ?? '';
		const variables = await listVariables(client, editorUser(this), conversationId, 'all');
		const results = variables.map(({ id, name, value_type: type }) => ({
			name: `${String(name)} (${String(type)})`,
			value: String(id),
		}));
		return { results: results.filter(({ name }) => name.toLowerCase().includes(wanted)) };
	} catch (error) {
		throw listError(this.getNode(), error);
	}
}
