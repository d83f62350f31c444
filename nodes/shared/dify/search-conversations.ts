import type { INodeListSearchResult } from 'n8n-workflow';

import { conversationsOf } from '../../../lib/dify/app/conversations';
import { readPage } from '../../../lib/dify/pagination';
import { append, nonEmptyText, optional } from '../../../lib/values';
import { editorList, editorUser } from './list-search';

/** Results that fill the list: the editor loads more only on scrolling (ResourceLocatorDropdown.vue). */
const FULL_LIST = 20;
/** Most pages for one search. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, last used first, page by page. */
export const searchConversations = editorList(async ({ context, client, filter, token }) => {
	const list = conversationsOf(editorUser(context));
	const needle = filter.toLowerCase();
	const results: INodeListSearchResult['results'] = [];
	let next = token;
	for (let pages = 1; ; pages++) {
		const page = await readPage(client, list, optional({ at: next }));
		const named = page.records.map(({ id, name }) => ({
			name: nonEmptyText(name) ?? String(id),
			value: String(id),
		}));
		append(
			results,
			named.filter(
				({ name, value }) => name.toLowerCase().includes(needle) || value.startsWith(needle),
			),
		);
		next = nonEmptyText(page.next);
		if (results.length >= FULL_LIST || next === undefined || pages === MAX_PAGES)
			return { results, ...optional({ paginationToken: next }) };
	}
});
