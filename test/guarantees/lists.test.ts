/**
 * Lists of any length, with pages of any size, up to any limit: what a reader returns is what the list has, in its order,
 * cut where the limit says. Compared with the whole list.
 */
import type { INodeExecutionData } from 'n8n-workflow';

import { listOperations } from '../faults/operations';
import type { Operation } from '../faults/operations';
import { createCredential } from '../faults/harness';
import { count, createList, selectExpected, toPage } from '../lib/dify/paged-list';
import type { Paging } from '../lib/dify/paged-list';
import { examples } from '../support/jest/properties';
import { sendJson, useServers } from '../support/servers/scripted-server';
import fc from 'fast-check';

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
