/**
 * Lists of any length, with pages of any size, up to any limit: what is read is what the list has, in its order, each record
 * once, cut where the limit says.
 */
import type { IDataObject } from 'n8n-workflow';

import type { DifyClient, Query } from '../../../lib/dify/client';
import { fetchAllPages } from '../../../lib/dify/pages';
import type { ListEndpoint } from '../../../lib/dify/pages';
import { examples } from '../../support/jest/properties';
import { count, createList, findPage, selectExpected, toPage } from './paged-list';
import type { Paging } from './paged-list';
import fc from 'fast-check';

const paging = fc.record<Paging>({
	type: fc.constantFrom('page', 'last_id', 'first_id'),
	hasMore: fc.constantFrom('true', 'full', 'never', 'missing'),
	hasTotal: fc.boolean(),
});

/**
 * What identifies the records. `none`: nothing, or no text. `moved`: each page begins with the last record of the one
 * before, since the list has grown at its beginning.
 */
type Identity = 'ids' | 'none' | 'numbers' | 'moved';

const withIdentity = (all: readonly IDataObject[], identity: Identity): IDataObject[] =>
	all.map(({ id, ...record }, at) => {
		if (identity === 'none') return record;
		return { ...record, id: identity === 'numbers' ? at : id };
	});

test('any list of Dify, with pages of any size, up to any limit', async () => {
	const cases = fc.integer({ min: 1, max: 12 }).chain((size) =>
		fc.record({
			size: fc.constant(size),
			length: count(size),
			limit: fc.oneof(count(size), fc.constant(Infinity)),
			paging,
			identity: fc.constantFrom<Identity>('ids', 'none', 'numbers', 'moved'),
		}),
	);
	await fc.assert(
		fc.asyncProperty(cases, async ({ size, length, limit, paging: how, identity }) => {
			// A page that follows a record needs its ID.
			const given = how.type === 'page' ? identity : 'ids';
			const all = withIdentity(createList(length), given);
			const client = {
				get: async (_path: string, query: Query) => {
					const page = toPage(all, how, query);
					const [begin] = findPage(all, how, query);
					if (given !== 'moved' || begin === 0 || begin > length) return page;
					return { ...page, data: [all[begin - 1]!, ...(page.data as IDataObject[])] };
				},
			} as unknown as DifyClient;
			const cursor = how.type === 'page' ? undefined : how.type;
			const list: ListEndpoint = { path: '/list', size, cursor };
			const records = await fetchAllPages(client, list, limit);
			expect(records).toEqual(selectExpected(all, limit, how.type));
		}),
		examples(300),
	);
});
