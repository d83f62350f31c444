import type { INodeListSearchResult } from 'n8n-workflow';

import { conversationPage, MAX_PAGE_SIZE, timeFieldOf } from '../../../lib/dify/conversations';
import { continuationOf } from '../../../lib/dify/paging';
import { nonEmptyText, recordsIn } from '../../../lib/values';
import { editorList, editorUser } from './editor';

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
export const searchConversations = editorList(async ({ context, client, filter, token }) => {
	const user = editorUser(context);
	const wanted = filter.toLowerCase();
	// Behind which conversation the list goes on, and those that come again there.
	let [lastId, ...again] = token?.split(' ') ?? [];
	const results: INodeListSearchResult['results'] = [];
	for (let page = 1; ; page++) {
		const answer = await conversationPage(client, user, { limit: MAX_PAGE_SIZE, lastId, sortBy: SORT });
		const conversations = recordsIn(answer.data);
		const known = new Set(again);
		const named = conversations
			.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }))
			.filter(({ value }) => !known.has(value));
		results.push(...named.filter(({ name, value }) => name.toLowerCase().includes(wanted) || value.startsWith(wanted)));
		const next = answer.has_more === true ? continuationOf(conversations, timeFieldOf(SORT)) : undefined;
		lastId = next?.afterId;
		again = next?.again.map(({ id }) => String(id)) ?? [];
		if (results.length >= FULL_LIST || lastId === undefined || page === MAX_PAGES)
			return { results, ...(lastId === undefined ? {} : { paginationToken: [lastId, ...again].join(' ') }) };
	}
});
