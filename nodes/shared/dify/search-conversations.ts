import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';

import { conversationPage, MAX_PAGE_SIZE, timeFieldOf } from '../../../lib/dify/conversations';
import { refusedHere } from '../../../lib/dify/failure';
import { continuationOf } from '../../../lib/dify/paging';
import { isRecord, nonEmptyText } from '../../../lib/values';
import { listError } from '../list-error';
import { editorClient } from './apps';

/**
 * The editor asks for more when somebody scrolls, which a search with few results does not let them
 * (ResourceLocatorDropdown.vue).
 */
const FULL_LIST = 20;

/** Those that were written in last come first. */
const SORT = '-updated_at';

/** How many pages one search reads at most. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, newest first, page by page. */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	try {
		const client = await editorClient(this);
		const user = editorUser(this);
		const wanted = filter?.trim().toLowerCase() ?? '';
		// Behind which conversation the list goes on, and those that come again there.
		let [lastId, ...again] = paginationToken?.split(' ') ?? [];
		const results: INodeListSearchResult['results'] = [];
		for (let page = 1; ; page++) {
			const { conversations, hasMore } = await conversationPage(client, user, {
				limit: MAX_PAGE_SIZE,
				lastId,
				sortBy: SORT,
			});
			const known = new Set(again);
			const named = conversations
				.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }))
				.filter(({ value }) => !known.has(value));
			results.push(
				...named.filter(({ name, value }) => name.toLowerCase().includes(wanted) || value.startsWith(wanted)),
			);
			const next = hasMore ? continuationOf(conversations, timeFieldOf(SORT)) : undefined;
			lastId = next?.afterId;
			again = next?.again.map(({ id }) => String(id)) ?? [];
			if (results.length >= FULL_LIST || lastId === undefined || page === MAX_PAGES)
				return { results, ...(lastId === undefined ? {} : { paginationToken: [lastId, ...again].join(' ') }) };
		}
	} catch (error) {
		throw listError(this.getNode(), error);
	}
}

/** @throws {ServerError} when the user is an expression about an item: in the editor there is none */
export function editorUser(context: ILoadOptionsFunctions): string {
	const user = editorValue(context, 'user');
	if (typeof user === 'string' && user.trim() !== '') return user;
	throw refusedHere(
		'missingUser',
		'The list needs a user',
		'Type a fixed value into User to see the conversations of that user, or give the conversation by ID.',
	);
}

/** A field of the node as far as it has a value in the editor; of a resource locator, what it points to. */
export function editorValue(context: ILoadOptionsFunctions, name: string): unknown {
	const value = resolved(context, name);
	return isRecord(value) && '__rl' in value ? value.value : value;
}

function resolved(context: ILoadOptionsFunctions, name: string): unknown {
	try {
		return context.getNodeParameter(name, '');
	} catch {
		return undefined;
	}
}
