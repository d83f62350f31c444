import type { INodeListSearchResult } from 'n8n-workflow';

import { buildConversationList } from '../../../lib/dify/app/conversations';
import { fetchPage } from '../../../lib/dify/pagination';
import { pushAll, asNonEmptyString, omitUndefined } from '../../../lib/values';
import { createListSearch, readEditorUser } from './list-search';

/** Results that fill the list: the editor loads more only after scrolling (ResourceLocatorDropdown.vue). */
const FULL_LIST = 20;
/** Max pages for one search. */
const MAX_PAGES = 20;

/** Conversations of the user in the node, last used first, page by page. */
export const searchConversations = createListSearch(async ({ context, client, filter, token }) => {
	const list = buildConversationList(readEditorUser(context));
	const query = filter.toLowerCase();
	const results: INodeListSearchResult['results'] = [];
	let next = token;
	for (let pages = 1; ; pages++) {
		const page = await fetchPage(client, list, omitUndefined({ at: next }));
		const options = page.records.map(({ id, name }) => ({
			name: asNonEmptyString(name) ?? String(id),
			value: String(id),
		}));
		pushAll(
			results,
			options.filter(
				({ name, value }) => name.toLowerCase().includes(query) || value.startsWith(query),
			),
		);
		next = asNonEmptyString(page.next);
		if (results.length >= FULL_LIST || next === undefined || pages === MAX_PAGES)
			return { results, ...omitUndefined({ paginationToken: next }) };
	}
});
