import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { conversationPage, LARGEST_PAGE } from '../../lib/dify/conversations';
import { refusedHere } from '../../lib/dify/failure';
import { isFields, text } from '../../lib/dify/read';
import { listError } from '../list-error';
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
		throw listError(difyNodeError(this.getNode(), error));
	}
}

/** @throws {DifyError} when the user is an expression about an item: in the editor there is none */
export function editorUser(context: ILoadOptionsFunctions): string {
	const user = editorValue(context, 'user');
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw refusedHere('missing-user', 'The list needs a user', 'Type a fixed value into User to see the conversations of that user, or give the conversation by ID.');
}

/** A field of the node as far as it has a value in the editor; of a resource locator, what it points to. */
export function editorValue(context: ILoadOptionsFunctions, name: string): unknown {
	const value = resolved(context, name);
	return isFields(value) && '__rl' in value ? value.value : value;
}

function resolved(context: ILoadOptionsFunctions, name: string): unknown {
	try {
		return context.getNodeParameter(name, '');
	} catch {
		return undefined;
	}
}
