import type { IDataObject } from 'n8n-workflow';

import { DifyTrigger } from '../../../nodes/DifyTrigger/DifyTrigger.node';
import { appKey } from '../../simulators/dify';
import type { DifySim } from '../../simulators/dify';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { polling } from '../../support/n8n/poll-context';
import { executeFeedback, startWithMessage, getNodeError } from '../dify';

const startServer = useSimulator(startScripted);

const createTrigger = (sim: Pick<DifySim, 'url'>, parameters: IDataObject = {}, run?: 'manual') =>
	polling(new DifyTrigger(), {
		parameters,
		credentials: () => ({ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' }),
		mode: run ?? 'trigger',
	});

const getJson = (result: Awaited<ReturnType<ReturnType<typeof polling>['poll']>>) =>
	result?.[0]?.map(({ json }) => json) ?? null;

describe('feedback', () => {
	it('starts the workflow once for ratings since the last poll', async () => {
		const { sim, messageId } = await startWithMessage();
		const { poll } = createTrigger(sim);
		expect(await poll()).toBeNull();
		await executeFeedback(sim, { messageId, rating: 'like' });
		expect(getJson(await poll())).toMatchObject([
			{ event: 'feedback', isNew: true, message_id: messageId, rating: 'like' },
		]);
		expect(await poll()).toBeNull();
	});

	it.each([
		[{ rating: 'dislike' }, ['dislike']],
		[{ rating: 'like' }, ['like']],
		[{ options: { source: 'admin' } }, ['like']],
	])('starts the workflow only for matching ratings: %j', async (parameters, ratings) => {
		const { sim, messageId } = await startWithMessage();
		const { poll } = createTrigger(sim, parameters);
		await poll();
		await executeFeedback(sim, { messageId, rating: 'dislike' });
		const [feedback] = sim.app('chat').feedbacks;
		sim
			.app('chat')
			.feedbacks.push({ ...feedback!, id: 'by-team', rating: 'like', source: 'admin' });
		expect(getJson(await poll())!.map(({ rating }) => rating)).toEqual(ratings);
	});

	it('is also returned by the poll after a failed one', async () => {
		const { sim, messageId } = await startWithMessage();
		const { poll, stored } = createTrigger(sim);
		await poll();
		await executeFeedback(sim, { messageId, rating: 'like' });
		const state = stored();
		const app = sim.app('chat');
		app.apiEnabled = false;
		const { message, description } = await getNodeError(poll());
		expect(description).not.toContain(message);
		expect(stored()).toEqual(state);
		app.apiEnabled = true;
		expect(getJson(await poll())).toHaveLength(1);
	});

	it('is returned once by overlapping polls of n8n', async () => {
		const { sim, messageId } = await startWithMessage();
		const { poll, pollTwice } = createTrigger(sim);
		await poll();
		await executeFeedback(sim, { messageId, rating: 'like' });
		const ratings = (await pollTwice()).flatMap((result) => getJson(result) ?? []);
		expect(ratings).toMatchObject([{ rating: 'like' }]);
		expect(await poll()).toBeNull();
		await executeFeedback(sim, { messageId, rating: 'dislike' });
		expect(getJson(await poll())).toHaveLength(1);
	});

	it.each([
		{ what: 'a copy of its workflow, whose node has the same ID', other: { workflowId: 'copy' } },
		{ what: 'another node of its workflow', other: { nodeId: 'other' } },
	])('is returned by each trigger, also if both poll at once: $what', async ({ other }) => {
		const { sim, messageId } = await startWithMessage();
		const ids = { workflowId: 'first', nodeId: 'trigger' };
		const triggers = [ids, { ...ids, ...other }].map((place) =>
			polling(new DifyTrigger(), {
				credentials: () => ({ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' }),
				...place,
			}),
		);
		for (const { poll } of triggers) await poll();
		await executeFeedback(sim, { messageId, rating: 'like' });
		const results = await Promise.all(triggers.map(async ({ poll }) => await poll()));
		const rating = { rating: 'like' };
		expect(results.map(getJson)).toMatchObject([[rating], [rating]]);
	});

	it('in the editor, the three newest ratings are shown, oldest first, and no state is stored', async () => {
		const ids = ['a', 'b', 'c', 'd'];
		const newest = ids.map((id) => ({ id, rating: 'like' })).reverse();
		const { url } = await startServer((_request, response) => {
			sendJson(response, { data: newest });
		});
		const { poll, stored } = createTrigger({ url }, {}, 'manual');
		expect(getJson(await poll())!.map(({ id }) => id)).toEqual(['b', 'c', 'd']);
		expect(stored()).toEqual({});
	});

	it('in the editor, only ratings that would start the workflow are shown', async () => {
		const newest = ['like', 'dislike', 'like', 'like', 'like'].map((rating, at) => ({
			id: String(at),
			rating,
			from_source: at === 2 ? 'admin' : 'user',
		}));
		const { url } = await startServer((_request, response) => {
			sendJson(response, { data: newest });
		});
		const pollManually = async (fields: IDataObject) =>
			getJson(await createTrigger({ url }, fields, 'manual').poll());
		expect((await pollManually({ rating: 'dislike' }))!.map(({ id }) => id)).toEqual(['1']);
		expect(
			(await pollManually({ rating: 'like', options: { source: 'user' } }))!.map(({ id }) => id),
		).toEqual(['4', '3', '0']);
		expect(await pollManually({ rating: 'dislike', options: { source: 'admin' } })).toBeNull();
		await expect(pollManually({ options: { changed: 'perhaps' } })).rejects.toThrow(
			'The field "Include Changed Ratings" must be true or false, but is "perhaps"',
		);
	});

	describe('of known times', () => {
		const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
		const record = (id: string, second: number) => ({
			id,
			rating: 'like',
			created_at: at(second).slice(0, -1),
			updated_at: at(second),
		});

		/** The IDs of the ratings that start the workflow, for each list of Dify in turn. */
		async function pollLists(...lists: object[][]) {
			let records: object[] = [];
			const { url } = await startServer((_request, response) => {
				sendJson(response, { data: records });
			});
			const { poll } = createTrigger({ url });
			const results = [];
			for (records of lists)
				results.push(getJson(await poll())?.map(({ id, isNew }) => [id, isNew]));
			return results;
		}

		it.each([
			{ before: at(1), after: null, what: 'is missing' },
			{ before: at(1), after: {}, what: 'is no text' },
			{ before: null, after: at(1), what: 'was missing' },
			{ before: at(1), after: at(1).slice(0, -1), what: 'lost its zone' },
			{ before: at(1), after: at(1).replace('.000Z', '+00:00'), what: 'is written in another way' },
		])('a time of a change that $what changes no rating', async ({ before, after }) => {
			const withChange = (updatedAt: unknown) => ({ ...record('a', 1), updated_at: updatedAt });
			const lists = [before, after, at(2)].map((time) => [withChange(time)]);
			const [, second, third] = await pollLists(...lists);
			expect(second).toBeUndefined();
			expect(third).toEqual([['a', false]]);
		});

		it('starts the workflow if another worker wrote it late, up to a minute older than the newest', async () => {
			const known = [record('known', 120), record('older', 10)];
			const late = [known[0]!, record('late', 65), record('too late', 55), known[1]!];
			expect(await pollLists(known, late, late)).toEqual([undefined, [['late', true]], undefined]);
		});

		it.each([
			{ form: 'without a zone', write: (time: string) => time.slice(0, -1) },
			{ form: 'with Z', write: (time: string) => time },
			{ form: 'with an offset', write: (time: string) => time.replace('Z', '+00:00') },
			{ form: 'without milliseconds', write: (time: string) => time.replace('.000Z', '') },
		])('is in UTC, in whatever form it is written: $form', async ({ form, write }) => {
			const known = { ...record('known', 120), created_at: at(120) };
			const later = [70, 130].map((second) => ({
				...record(`${form} ${second}`, second),
				created_at: write(at(second)),
			}));
			const ids = later.map(({ id }) => [id, true]);
			const lists = await pollLists([known], [later[1]!, known, later[0]!]);
			expect(lists).toEqual([undefined, ids]);
		});

		it('starts the workflow only if it is new, also after an empty list', async () => {
			const older = record('older', 10);
			expect(
				await pollLists([record('newest', 120), older], [], [older], [record('new', 200), older]),
			).toEqual([undefined, undefined, undefined, [['new', true]]]);
		});
	});

	describe('of a list with wrong times', () => {
		const minute = (count: number) => new Date(Date.UTC(2026, 0, 1) + count * 60_000).toISOString();
		const rate = (id: string, createdAt: unknown) => ({
			id,
			rating: 'like',
			created_at: createdAt,
		});
		const old = Array.from({ length: 300 }, (_one, at) => rate(`old ${at}`, minute(-at)));

		/** A trigger, and the list of Dify that it polls. */
		async function watchList(records: object[]) {
			const list = { records };
			const { url, requests } = await startServer(({ path }, response) => {
				const query = new URL(path, 'http://dify').searchParams;
				const limit = Number(query.get('limit'));
				const first = (Number(query.get('page')) - 1) * limit;
				sendJson(response, { data: list.records.slice(first, first + limit) });
			});
			const { poll, stored } = createTrigger({ url });
			const pollIds = async () => getJson(await poll())?.map(({ id }) => id) ?? [];
			return { list, requests, poll: pollIds, stored };
		}

		const WRONG_TIMES = [
			undefined,
			null,
			'',
			'now',
			1_767_268_800,
			'9999-12-31T23:59:59',
			{},
			'-5',
		];

		it.each(WRONG_TIMES)('the newest one has %j: it starts the workflow once', async (wrong) => {
			const { list, poll } = await watchList(old);
			expect(await poll()).toEqual([]);
			list.records = [rate('wrong', wrong), ...old];
			expect(await poll()).toEqual(['wrong']);
			list.records = [rate('wrong', wrong), rate('next', minute(2)), ...old];
			expect(await poll()).toEqual(['next']);
			list.records = [rate('last', minute(3)), ...list.records];
			expect(await poll()).toEqual(['last']);
		});

		it.each(WRONG_TIMES)('all have %j: only new ones start the workflow', async (wrong) => {
			const records = old.map(({ id }) => rate(id, wrong));
			const { list, poll } = await watchList(records);
			expect(await poll()).toEqual([]);
			list.records = [rate('2', wrong), rate('1', wrong), ...records];
			expect(await poll()).toEqual(['1', '2']);
			expect(await poll()).toEqual([]);
		});

		it.each([1, 60, 150])(
			'%i at once, with a wrong time at the end of each page',
			async (count) => {
				const { list, poll } = await watchList(old);
				await poll();
				const latest = Array.from({ length: count }, (_one, at) =>
					rate(`new ${at}`, at % 101 === 100 ? '1970-01-01T00:00:00' : minute(count - at + 1)),
				);
				list.records = [...latest, ...old];
				expect(await poll()).toHaveLength(count);
				expect(await poll()).toEqual([]);
			},
		);

		it.each([
			{ what: 'an unreadable time', newest: 0 },
			{ what: 'the year 9999', newest: Date.UTC(9999, 0) },
		])('$what in the state of an earlier version starts nothing old', async ({ newest }) => {
			const { list, poll, stored } = await watchList(old);
			await poll();
			(stored().feedback as IDataObject).newest = newest;
			expect(await poll()).toEqual([]);
			(stored().feedback as IDataObject).newest = newest;
			list.records = [rate('next', minute(2)), ...old];
			expect(await poll()).toEqual(['next']);
		});

		it.each([null, 'x', [], { known: 1 }, { newest: 'soon', known: { 'old 0': {} } }])(
			'a stored state that is none, %j, starts nothing old',
			async (feedback) => {
				const { list, poll, stored } = await watchList(old);
				await poll();
				(stored() as Record<string, unknown>).feedback = feedback;
				await poll();
				list.records = [rate('next', minute(2)), ...old];
				expect(await poll()).toEqual(['next']);
			},
		);

		it('many at once within a minute start it once, also if later ones move them to other pages', async () => {
			const records = old.map(({ id }) => rate(id, minute(0)));
			const { list, poll } = await watchList(records);
			await poll();
			list.records = [
				...Array.from({ length: 60 }, (_one, at) => rate(`${at}`, minute(1))),
				...records,
			];
			expect(await poll()).toHaveLength(60);
		});
	});

	it('stores a state of limited size, whatever Dify sends', async () => {
		let records: object[] = [];
		const { url } = await startServer(({ path }, response) => {
			const first = (Number(/[?&]page=(\d+)/.exec(path)![1]) - 1) * 101;
			sendJson(response, { data: records.slice(first, first + 101) });
		});
		const { poll, stored } = createTrigger({ url });
		await poll();
		records = Array.from({ length: 5_000 }, (_one, at) => ({
			id: `${at} ${'x'.repeat(900)}`,
			rating: 'like',
			created_at: new Date().toISOString(),
			updated_at: 'y'.repeat(900),
		}));
		expect(getJson(await poll())).toHaveLength(5_000);
		expect(JSON.stringify(stored()).length).toBeLessThan(40_000);
		expect(await poll()).toBeNull();
		// An earlier version stored everything.
		const known = Object.fromEntries(
			(records as Array<{ id: string; updated_at: string }>).map(({ id, updated_at: at }) => [
				id,
				at,
			]),
		);
		stored().feedback = { newest: Date.now(), known };
		expect(await poll()).toBeNull();
		expect(JSON.stringify(stored()).length).toBeLessThan(40_000);
	});

	it('keeps the names of its own fields', async () => {
		const { url } = await startServer((_request, response) => {
			sendJson(response, { data: [{ id: 'a', event: 'deleted', isNew: 'no', rating: 'like' }] });
		});
		for (const run of ['manual', undefined] as const) {
			const { poll, stored } = createTrigger({ url }, {}, run);
			if (run === undefined) stored().feedback = { known: {} };
			expect(getJson(await poll())).toEqual([
				{ event: 'feedback', isNew: true, id: 'a', rating: 'like' },
			]);
		}
	});

	const page = (from: number) =>
		Array.from({ length: 3 }, (_one, at) => ({
			id: `r${from + at}`,
			rating: 'like',
			created_at: new Date(Date.now() + 3_600_000).toISOString(),
		}));

	it.each<[string, (at: number) => object[], number]>([
		['that repeats its page ends there', () => page(0), 2],
		['without an end is an error with its path', (at) => page(at * 3), 1_000],
	])('a list %s', async (name, pageAt, pages) => {
		let isFull = false;
		const { url, requests } = await startServer(({ path }, response) => {
			const at = Number(/[?&]page=(\d+)/.exec(path)![1]);
			sendJson(response, { data: isFull ? pageAt(at) : [], has_more: true });
		});
		const { poll } = createTrigger({ url });
		await poll();
		isFull = true;
		const polling = poll();
		if (name.includes('error'))
			await expect(polling).rejects.toThrow('/app/feedbacks has more than 1000 pages');
		else expect(getJson(await polling)).toHaveLength(3);
		expect(requests).toHaveLength(1 + pages);
	});
});
