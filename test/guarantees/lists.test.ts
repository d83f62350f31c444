/**
 * Lists of any length, with pages of any size, up to any limit: what a reader returns is what the list has, in its order,
 * cut where the limit says. Compared with the whole list.
 */
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';

import { getItemId, listOperations } from '../faults/operations';
import type { Operation } from '../faults/operations';
import { createCredential } from '../faults/harness';
import type { DifyClient, Query } from '../../lib/dify/client';
import { fetchAllPages } from '../../lib/dify/pages';
import type { ListEndpoint } from '../../lib/dify/pages';
import { examples } from '../support/jest/properties';
import { sendJson, useServers } from '../support/servers/scripted-server';
import fc from 'fast-check';

/** How a server pages a list. */
interface Paging {
	/** Which records follow: those of a page number, those after a record, or those before it (the newest page first). */
	type: 'page' | 'last_id' | 'first_id';
	/** What a response says of further pages: whether there are any, that its page is full, that there are none, nothing. */
	hasMore: 'true' | 'full' | 'never' | 'missing';
	hasTotal: boolean;
}

/** The query of a request. */
type Asked = Readonly<Record<string, unknown>>;

/** Begin and end of a page, whose records are in the order of the list. */
function findPage(all: readonly IDataObject[], { type }: Paging, asked: Asked): [number, number] {
	const limit = Number(asked.limit ?? 20);
	if (type === 'page') {
		const begin = (Number(asked.page ?? 1) - 1) * limit;
		return [begin, begin + limit];
	}
	const at = all.findIndex(({ id }) => id === asked[type]);
	if (type === 'last_id') return [at + 1, at + 1 + limit];
	const end = at === -1 ? all.length : at;
	return [Math.max(0, end - limit), end];
}

/** A page of a list, as Dify returns it. */
function toPage(all: readonly IDataObject[], paging: Paging, asked: Asked): IDataObject {
	const [begin, end] = findPage(all, paging, asked);
	const data = all.slice(begin, end);
	const hasMore = {
		true: paging.type === 'first_id' ? begin > 0 : end < all.length,
		full: data.length === Number(asked.limit),
		never: false,
		missing: undefined,
	}[paging.hasMore];
	return {
		data,
		...(hasMore !== undefined && { has_more: hasMore }),
		...(paging.hasTotal && { total: all.length }),
	};
}

const toId = (at: number): string => `${getItemId(0).slice(0, -4)}${String(at).padStart(4, '0')}`;

/** All fields that operations read. */
const toRecord = (at: number): IDataObject => ({ id: toId(at), name: toId(at), value: toId(at) });

const createList = (length: number): IDataObject[] =>
	Array.from({ length }, (_, at) => toRecord(at));

/** The first records of a list. Of one that is read backwards the newest, the oldest first. */
function selectExpected<T>(all: readonly T[], limit: number, type: Paging['type']): T[] {
	return type === 'first_id' ? all.slice(Math.max(0, all.length - limit)) : all.slice(0, limit);
}

/** A number near a multiple of the size of a page counts most. */
const count = (size: number): fc.Arbitrary<number> =>
	fc.oneof(
		fc.nat(3 * size),
		fc
			.tuple(fc.nat(3), fc.constantFrom(-1, 0, 1))
			.map(([pages, more]) => Math.max(0, pages * size + more)),
	);

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

const start = useServers();

/** Dify's largest page, at most lists. */
const PAGE = 100;
const KEY = 'key-7f3a91c4d2';

/** The IDs of records in items. */
const getIds = (items: readonly INodeExecutionData[]): string[] =>
	items.map(({ json }) => /"([\w-]{32}\d{4})"/.exec(JSON.stringify(json))?.[1] ?? '');

/** Lists of Dify whose pages follow a record, by their route. All others have numbered pages. */
const CURSORS: ReadonlyArray<readonly [route: RegExp, type: Paging['type']]> = [
	[/\/messages$/, 'first_id'],
	[/\/(?:conversations|variables)$/, 'last_id'],
];

/** Runs an operation at a server whose lists have so many records. @returns the IDs of its items, and those expected */
async function runList(operation: Operation, length: number, limit: number | undefined) {
	const all = createList(length);
	let type: Paging['type'] = 'page';
	const server = await start(({ path }, response) => {
		const { pathname, searchParams } = new URL(path, 'http://dify');
		type = CURSORS.find(([route]) => route.test(pathname))?.[1] ?? 'page';
		const asked = Object.fromEntries(searchParams);
		sendJson(response, toPage(all, { type, hasMore: 'full', hasTotal: false }, asked));
	});
	const credentials = [createCredential(operation, { url: server.url, key: KEY })];
	const parameters = limit === undefined ? { returnAll: true } : { returnAll: false, limit };
	const { items = [] } = await operation.run({
		credentials,
		parameters: { keyword: '', ...parameters },
	});
	const expected = selectExpected(all, limit ?? Infinity, type);
	return { ids: getIds(items.flat()), expected: expected.map(({ id }) => id) };
}

test('each operation that returns a list: all of it, or as much as its limit says', async () => {
	const lists = (await listOperations()).filter(({ fields }) =>
		fields.some(({ name }) => name === 'returnAll'),
	);
	expect(lists.length).toBeGreaterThan(8);
	const cases = fc.record({
		name: fc.constantFrom(...lists.map(({ name }) => name)),
		length: count(PAGE),
		limit: fc.oneof(
			count(PAGE).map((limit) => Math.max(1, limit)),
			fc.constant(undefined),
		),
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ name, length, limit }) => {
			const operation = lists.find((list) => list.name === name)!;
			const { ids, expected } = await runList(operation, length, limit);
			expect(ids).toEqual(expected);
		}),
		examples(40),
	);
});
