import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { conversationPage, LARGEST_PAGE } from '../../lib/dify/conversations';
import { refusedHere } from '../../lib/dify/failure';
import { text } from '../../lib/dify/read';
import { editorClient } from './apps';
import { difyNodeError } from './errors';

/** Conversations of the user in the node, newest first, page by page. */
export async function searchConversations(this: ILoadOptionsFunctions, filter?: string, paginationToken?: string): Promise<INodeListSearchResult> {
	try {
		const client = await editorClient(this);
		const { conversations, hasMore } = await conversationPage(client, editorUser(this), { limit: LARGEST_PAGE, lastId: paginationToken, sortBy: '-updated_at' });
		const wanted = filter?.trim().toLowerCase() ?? '';
		const results = conversations
			.map(({ id, name }) => ({ name: text(name) ?? String(id), value: String(id) }))
			.filter(({ name, value }) => name.toLowerCase().includes(wanted) || value.startsWith(wanted));
		return { results, ...(hasMore ? { paginationToken: text(conversations.at(-1)?.id) } : {}) };
	} catch (error) {
		throw difyNodeError(this.getNode(), error);
	}
}

/** An expression about an item has no value in the editor, where there is no item. */
export function editorUser(context: ILoadOptionsFunctions): string {
	const user = resolvedUser(context);
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw refusedHere('missing-user', 'The list needs a user', 'Type a fixed value into User to see the conversations of that user, or give the conversation by ID.');
}

function resolvedUser(context: ILoadOptionsFunctions): unknown {
	try {
		return context.getNodeParameter('user', '');
	} catch {
		return undefined;
	}
}
