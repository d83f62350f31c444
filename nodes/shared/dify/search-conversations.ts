import type { INodeListSearchResult } from 'n8n-workflow';

import { conversationPage, MAX_PAGE_SIZE, timeFieldOf } from '../../../lib/dify/app/conversations';
import { continuationOf, listIn } from '../../../lib/dify/paging';
import { append, nonEmptyText } from '../../../lib/values';
import { editorList, editorUser } from './editor';

/** Results that fill the list: the editor loads more only on scrolling (ResourceLocatorDropdown.vue). */
const FULL_LIST = 20;

/** Most recently used first. */
const SORT = '-updated_at';

/** Most pages for one search. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, newest first, page by page. */
export const searchConversations = editorList(async ({ context, client, filter, token }) => {
	const user = editorUser(context);
	const needle = filter.toLowerCase();
	// Cursor (the last conversation), and conversations that the next page repeats.
	let [lastId, ...again] = token?.split(' ') ?? [];
	const results: INodeListSearchResult['results'] = [];
	for (let page = 1; ; page++) {
		const answer = await conversationPage(client, user, {
			limit: MAX_PAGE_SIZE,
			lastId,
			sortBy: SORT,
		});
		const conversations = listIn(answer.data);
		const known = new Set(again);
		const named = conversations
			.map(({ id, name }) => ({ name: nonEmptyText(name) ?? String(id), value: String(id) }))
			.filter(({ value }) => !known.has(value));
		append(
			results,
			named.filter(
				({ name, value }) => name.toLowerCase().includes(needle) || value.startsWith(needle),
			),
		);
		const next =
			answer.has_more === true ? continuationOf(conversations, timeFieldOf(SORT)) : undefined;
		lastId = next?.afterId;
		again = next?.again.map(({ id }) => String(id)) ?? [];
		if (results.length >= FULL_LIST || lastId === undefined || page === MAX_PAGES)
			return {
				results,
				...(lastId === undefined ? {} : { paginationToken: [lastId, ...again].join(' ') }),
			};
	}
});
