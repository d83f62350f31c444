import type { INodeListSearchResult } from 'n8n-workflow';

import { buildConversationList } from '../../../lib/dify/app/conversations';
import { fetchPage } from '../../../lib/dify/pagination';
import { pushAll, asNonEmptyString, omitUndefined } from '../../../lib/values';
import { createListSearch, readEditorUser } from './list-search';

/** Results that fill the list: the editor loads more only on scrolling (ResourceLocatorDropdown.vue). */
const FULL_LIST = 20;
/** Most pages for one search. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, last used first, page by page. */
export const searchConversations = createListSearch(async ({ context, client, filter, token }) => {
	const list = buildConversationList(readEditorUser(context));
	const needle = filter.toLowerCase();
	const results: INodeListSearchResult['results'] = [];
	let next = token;
	for (let pages = 1; ; pages++) {
		const page = await fetchPage(client, list, omitUndefined({ at: next }));
		const named = page.records.map(({ id, name }) => ({
			name: asNonEmptyString(name) ?? String(id),
			value: String(id),
		}));
		pushAll(
			results,
			named.filter(
				({ name, value }) => name.toLowerCase().includes(needle) || value.startsWith(needle),
			),
		);
		next = asNonEmptyString(page.next);
		if (results.length >= FULL_LIST || next === undefined || pages === MAX_PAGES)
			return { results, ...omitUndefined({ paginationToken: next }) };
	}
});
