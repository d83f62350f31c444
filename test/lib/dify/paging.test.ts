import * as fc from 'fast-check';

/** Lists that change while they are read page by page, by other users and workflows of the same Dify. */
import {
	latestConversation,
	listConversations,
	listMessages,
} from '../../../lib/dify/app/conversations';
import type { DifyClient } from '../../../lib/dify/client';
import { AppApi } from '../../../lib/dify/app/api';
import { annotationRoutes, appRoutes } from '../../../lib/dify/app/routes';
import { listRuns } from '../../../lib/dify/app/logs';
import { newFeedback } from '../../../lib/dify/app/new-feedback';
import { KnowledgeApi } from '../../../lib/dify/knowledge/api';
import { metadataFields } from '../../../lib/dify/knowledge/metadata';
import { baseRoutes, documentRoutes } from '../../../lib/dify/knowledge/routes';
import {
	addNew,
	collectAfter,
	continuationOf,
	nextCursor,
	pageSize,
} from '../../../lib/dify/paging';
import type { JsonRecord } from '../../../lib/values';
import { listVariables } from '../../../lib/dify/app/variables';
import { type DifySim } from '../../servers/dify';
import { UNKNOWN_ID, calls, clientOf, failureOf, startSim } from './client';
import { examples } from '../../support/properties';

async function withConversations(count: number): Promise<{ sim: DifySim; ids: string[] }> {
	const sim = await startSim({});
	const ids = Array.from(
		{ length: count },
		(_, at) =>
			sim.store.addConversation(sim.app('chat'), 'u1', {
				name: `c${at}`,
				createdAt: at,
				updatedAt: at,
			}).id,
	);
	return { sim, ids };
}

/** A client after whose first answers something happens in Dify: `then[0]` after the first, and so on. */
function betweenPages(sim: DifySim, ...then: Array<() => void>): DifyClient {
	const client = clientOf(sim);
	const get = client.get.bind(client);
	client.get = async (...asked) => {
		const answer = await get(...asked);
		then.shift()?.();
		return answer;
	};
	return client;
}

const namesOf = (records: JsonRecord[]) => records.map(({ name }) => name);
const numbered = (from: number, to: number) =>
	Array.from({ length: from - to + 1 }, (_, at) => `c${from - at}`);

describe('conversations', () => {
	test('the one behind which the next page would begin is deleted', async () => {
		const { sim, ids } = await withConversations(250);
		const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[150]!));
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(
			numbered(249, 0),
		);
	});

	test('all that were read are deleted', async () => {
		const { sim, ids } = await withConversations(250);
		const client = betweenPages(sim, () =>
			ids.slice(150).forEach((id) => sim.app('chat').conversations.delete(id)),
		);
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(
			numbered(249, 0),
		);
		// Back in steps that grow, not one by one.
		expect(calls(sim, '/conversations', 'GET')).toBeLessThan(15);
	});

	test('one that was read is written in, and comes to the top: each is listed once', async () => {
		const { sim, ids } = await withConversations(250);
		const client = betweenPages(sim, () => {
			sim.app('chat').conversations.get(ids[150]!)!.updatedAt = 9999;
		});
		expect(namesOf(await listConversations(client, 'u1', 'all', '-updated_at'))).toEqual(
			numbered(249, 0),
		);
	});

	test('conversations with a limit, too', async () => {
		const { sim, ids } = await withConversations(250);
		const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[150]!));
		expect(namesOf(await listConversations(client, 'u1', 120, '-updated_at'))).toEqual(
			numbered(249, 130),
		);
	});
});

describe('Dify pages by whole seconds (129 conversations, 124 listed by 1.12.1 and 1.14.2)', () => {
	interface Row extends JsonRecord {
		id: string;
		created_at: number;
	}

	/** As Dify does: behind a record come those of an earlier second only. */
	const bySecond = (
		sim: DifySim,
		rows: Row[],
		param: 'last_id' | 'first_id',
		isAscending = false,
	): DifyClient => {
		const sign = isAscending ? -1 : 1;
		const sorted = rows.toSorted((one, other) => sign * (other.created_at - one.created_at));
		return Object.assign(clientOf(sim), {
			get: async (_path: string, query: Record<string, unknown>) => {
				const from = sorted.find(({ id }) => id === query[param]);
				const rest = sorted.filter(
					(row) => from === undefined || sign * (from.created_at - row.created_at) > 0,
				);
				const data = rest.slice(0, Number(query.limit));
				const page = param === 'first_id' ? data.toReversed() : data;
				return await Promise.resolve({ data: page, has_more: rest.length > data.length });
			},
		});
	};
	const perSecond = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 9 });
	const rowsOf = (counts: number[]): Row[] =>
		counts.flatMap((count, second) =>
			Array.from({ length: count }, (_, at) => ({
				id: `${second}-${at}`,
				created_at: 1000 + second,
			})),
		);
	const idsOf = (records: JsonRecord[]) => records.map(({ id }) => String(id));

	test('none is lost, none comes twice, and a limit is kept', async () => {
		const sim = await startSim();
		await fc.assert(
			fc.asyncProperty(perSecond, fc.integer({ min: 1, max: 300 }), async (counts, most) => {
				const rows = rowsOf(counts);
				const all = rows.map(({ id }) => id).sort();
				const down = bySecond(sim, rows, 'last_id');
				const up = bySecond(sim, rows, 'last_id', true);
				const newest = await listConversations(down, 'u1', 'all', '-created_at');
				expect(idsOf(newest).sort()).toEqual(all);
				expect(idsOf(await listConversations(up, 'u1', 'all', 'created_at')).sort()).toEqual(all);
				expect(idsOf(await listVariables(up, 'u1', UNKNOWN_ID, 'all')).sort()).toEqual(all);
				expect(await listConversations(down, 'u1', most, '-created_at')).toEqual(
					newest.slice(0, most),
				);
				const messages = bySecond(sim, rows, 'first_id');
				const listed = await listMessages(messages, 'u1', UNKNOWN_ID, 'all');
				expect(idsOf(listed).sort()).toEqual(all);
				const times = listed.map(({ created_at: time }) => Number(time));
				expect(times).toEqual(times.toSorted((one, other) => one - other));
				const last = await listMessages(messages, 'u1', UNKNOWN_ID, most);
				expect(idsOf(last)).toEqual(idsOf(listed.slice(-most)));
			}),
			examples(60),
		);
	});

	test('more than a page in one second: an end, not for ever', async () => {
		const sim = await startSim();
		const rows = rowsOf([3, 250, 3]);
		const client = bySecond(sim, rows, 'last_id');
		expect(
			(await listConversations(client, 'u1', 'all', '-created_at')).length,
		).toBeGreaterThanOrEqual(103);
		expect(
			(await listMessages(bySecond(sim, rows, 'first_id'), 'u1', UNKNOWN_ID, 'all')).length,
		).toBeGreaterThan(100);
	});
});

test('repeated pages end the list', async () => {
	const sim = await startSim();
	let asked = 0;
	const pages = ['a', 'b', 'c'].map((page) => ({
		has_more: true,
		data: Array.from({ length: 101 }, (_, at) => ({ id: `${page}${at}`, created_at: at })),
	}));
	const round = Object.assign(clientOf(sim), {
		get: async () => await Promise.resolve(pages[asked++ % 3]!),
	});
	expect(await listConversations(round, 'u1', 'all', '-updated_at')).toHaveLength(303);
	expect(await listMessages(round, 'u1', UNKNOWN_ID, 'all')).toHaveLength(303);
	expect(await new AppApi(round).list(appRoutes.feedback, {}, 'all')).toHaveLength(303);
	expect(asked).toBeLessThan(30);
});

test('feedback that comes in meanwhile makes no other appear twice', async () => {
	const { sim, ids } = await withConversations(1);
	const { feedbacks } = sim.app('chat');
	const add = () =>
		void feedbacks.push({
			id: `f${feedbacks.length}`,
			conversationId: ids[0]!,
			messageId: UNKNOWN_ID,
			rating: 'like',
			content: null,
			source: 'user',
			userId: null,
			createdAt: 0,
			updatedAt: 0,
		});
	for (let at = 0; at < 250; at++) add();
	const listed = await new AppApi(betweenPages(sim, add, add)).list(appRoutes.feedback, {}, 'all');
	expect(listed.map(({ id }) => id)).toEqual(
		Array.from({ length: 250 }, (_, at) => `f${249 - at}`),
	);
	const before = calls(sim, '/app/feedbacks', 'GET');
	expect(await new AppApi(betweenPages(sim, add)).list(appRoutes.feedback, {}, 150)).toHaveLength(
		150,
	);
	expect(calls(sim, '/app/feedbacks', 'GET')).toBe(before + 2);
});

describe('a proxy that answers every page with the first one', () => {
	const page = {
		has_more: true,
		data: Array.from({ length: 100 }, (_, at) => ({
			id: `${at}`,
			name: 'n',
			value_type: 'string',
			value: 'x',
		})),
	};
	const stuck = (sim: DifySim): DifyClient =>
		Object.assign(clientOf(sim), { get: async () => await Promise.resolve(page) });

	test('is not asked for ever', async () => {
		const sim = await startSim();
		expect(await listConversations(stuck(sim), 'u1', 'all', '-updated_at')).toHaveLength(100);
		expect(await listMessages(stuck(sim), 'u1', UNKNOWN_ID, 'all')).toHaveLength(100);
		expect(await listVariables(stuck(sim), 'u1', UNKNOWN_ID, 'all')).toHaveLength(100);
		const feedback = Object.assign(clientOf(sim), {
			get: async () => await Promise.resolve({ data: [...page.data, { id: 'last' }] }),
		});
		const runs = jest.fn(async () => await Promise.resolve({ ...page, total: 300 }));
		expect(await listRuns(Object.assign(clientOf(sim), { get: runs }), {}, 'all')).toHaveLength(
			100,
		);
		expect(runs.mock.calls.length).toBeLessThan(10);
		expect(await new AppApi(feedback).list(appRoutes.feedback, {}, 'all')).toHaveLength(101);
	});
});

const NO_LIST = fc.jsonValue().filter((value) => !Array.isArray(value));

/** Every list of Dify, with the name under which an answer has it. */
const LISTS: Record<string, (client: DifyClient) => Promise<unknown>> = {
	'new feedback': async (client) => await newFeedback(client, { newest: null, known: {} }),
	runs: async (client) => await listRuns(client, {}, 'all'),
	conversations: async (client) => await listConversations(client, 'u1', 'all', '-updated_at'),
	'latest conversation': async (client) => await latestConversation(client, 'u1'),
	messages: async (client) => await listMessages(client, 'u1', UNKNOWN_ID, 'all'),
	variables: async (client) => await listVariables(client, 'u1', UNKNOWN_ID, 'all'),
	feedback: async (client) => await new AppApi(client).list(appRoutes.feedback, {}, 'all'),
	annotations: async (client) =>
		await new AppApi(client).list(annotationRoutes.list, { keyword: '' }, 'all'),
	documents: async (client) =>
		await new KnowledgeApi(client).list(documentRoutes.list, { dataset_id: UNKNOWN_ID }, 'all'),
	'knowledge bases': async (client) => await new KnowledgeApi(client).page(baseRoutes.list, {}, 1),
	models: async (client) =>
		await new KnowledgeApi(client).call(baseRoutes.models, { model_type: 'rerank' }),
	'metadata fields': async (client) => await metadataFields(new KnowledgeApi(client), UNKNOWN_ID),
};

test.each(Object.keys(LISTS))(
	'%s: anything else in place of the list is no empty list',
	async (name) => {
		const sim = await startSim();
		await fc.assert(
			fc.asyncProperty(NO_LIST, async (value) => {
				const answer = { data: value, doc_metadata: value };
				const client = Object.assign(clientOf(sim), {
					get: async () => await Promise.resolve(answer),
					ask: async () => await Promise.resolve(answer),
				});
				expect(await failureOf(LISTS[name]!(client))).toMatchObject({ kind: 'emptyAnswer' });
			}),
			examples(20),
		);
	},
);

test.each([
	'runs',
	'conversations',
	'messages',
	'variables',
	'feedback',
	'annotations',
	'documents',
])('%s without an end are an error', async (name) => {
	let at = 0;
	const answer = async () => {
		at++;
		const record = { id: `${at}`, created_at: 1e9 - at, updated_at: 1e9 - at };
		return await Promise.resolve({ data: [record], has_more: true, total: 1e9 });
	};
	const client = Object.assign(clientOf(await startSim()), { get: answer, ask: answer });
	// Ratings have neither a total nor `has_more`: only a full page is followed by another.
	const full = async () => ({ data: Array.from({ length: 101 }, () => ({ id: `${at++}` })) });
	if (name === 'feedback') Object.assign(client, { get: full, ask: full });
	expect(await failureOf(LISTS[name]!(client))).toMatchObject({
		kind: 'emptyAnswer',
		message: 'The list does not end: 10000 pages of it were read',
	});
});

test('the variables of a conversation that is deleted meanwhile are an error, asked for once', async () => {
	const { sim, ids } = await withConversations(1);
	sim.app('chat').conversations.get(ids[0]!)!.variables = Array.from({ length: 150 }, (_, at) => ({
		id: `${UNKNOWN_ID.slice(0, -3)}${100 + at}`,
		name: `v${at}`,
		valueType: 'string',
		value: 'x',
		description: '',
		createdAt: 0,
		updatedAt: 0,
	}));
	const client = betweenPages(sim, () => void sim.app('chat').conversations.delete(ids[0]!));
	expect(await failureOf(listVariables(client, 'u1', ids[0]!, 'all'))).toMatchObject({
		kind: 'conversationNotFound',
	});
	expect(calls(sim, /variables$/, 'GET')).toBe(2);
});

describe('pages', () => {
	test('no more is asked for than is wanted, nor than Dify gives at once', () => {
		expect([
			pageSize('all', 500, 100),
			pageSize(250, 0, 100),
			pageSize(250, 200, 100),
			pageSize(250, 250, 100),
		]).toEqual([100, 100, 50, 0]);
	});

	test('what is known is not added again; records without an ID are all kept', () => {
		const known = new Map<string, JsonRecord>();
		expect(
			addNew(known, [{ id: 'a' }, { id: 'b' }, { id: 'a' }, {}, { id: '' }, { id: 7 }]),
		).toEqual([{ id: 'a' }, { id: 'b' }, {}, { id: '' }, { id: 7 }]);
		expect(addNew(known, [{ id: 'b' }, { id: 'c' }])).toEqual([{ id: 'c' }]);
	});

	test('a list goes on behind the last record of another second, and so repeats the last second', () => {
		const page = (...times: number[]) => times.map((at, index) => ({ id: `r${index}`, at }));
		expect(continuationOf(page(9, 8, 7, 7), 'at')).toEqual({
			afterId: 'r1',
			again: page(9, 8, 7, 7).slice(2),
		});
		// Dify sends fractions in some lists, and compares whole seconds all the same.
		expect(continuationOf(page(9, 8, 7.9, 7.1), 'at')?.afterId).toBe('r1');
		expect(continuationOf(page(7, 7, 7), 'at')).toEqual({ afterId: 'r2', again: [] });
		expect(continuationOf([{ id: 'a' }, { id: 'b' }], 'at')).toEqual({ afterId: 'b', again: [] });
		expect(continuationOf([{ at: 9 }, { id: 'b', at: 8 }], 'at')).toEqual({
			afterId: 'b',
			again: [],
		});
		for (const none of [[], [{ id: 'a', at: 1 }, { at: 2 }]])
			expect(continuationOf(none, 'at')).toBeUndefined();
	});

	test('where that was tried, it goes on behind the last one, and then no more', () => {
		const found = [
			{ id: 'a', at: 9 },
			{ id: 'b', at: 8 },
		];
		expect(nextCursor(found, 'at', new Set())?.afterId).toBe('a');
		expect(nextCursor(found, 'at', new Set(['a']))).toEqual({ afterId: 'b', again: [] });
		expect(nextCursor(found, 'at', new Set(['a', 'b']))).toBeUndefined();
	});

	test('whatever a server pages, the list has an end and no record twice', async () => {
		const record = fc.record({
			id: fc.constantFrom<unknown>('a', 'b', 'c', 'd', 7, null),
			at: fc.nat({ max: 3 }),
		});
		const answer = fc.option(
			fc.record({
				data: fc.array(record, { maxLength: 4 }),
				has_more: fc.boolean(),
			}),
			{ nil: undefined },
		);
		await fc.assert(
			fc.asyncProperty(
				fc.array(answer, { minLength: 1, maxLength: 6 }),
				fc.oneof(fc.constant('all' as const), fc.nat({ max: 5 })),
				async (answers, most) => {
					let asked = 0;
					const page = async (limit: number, lastId: string | undefined) => {
						expect(limit).toBeLessThanOrEqual(3);
						if (asked > 100) throw new Error('asked for ever');
						// The last page comes again and again; without an answer, the record behind which to go on is gone.
						const given = answers[Math.min(asked++, answers.length - 1)];
						return given ?? (lastId === undefined ? { data: [] } : undefined);
					};
					const list = await collectAfter({ most, largest: 3, timeField: 'at', page });
					const ids = list.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
					expect(new Set(ids).size).toBe(ids.length);
					if (most !== 'all') expect(list.length).toBeLessThanOrEqual(most);
				},
			),
		);
	});
});
