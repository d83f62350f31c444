import type { IDataObject } from 'n8n-workflow';

import { DifyTrigger } from '../../../nodes/DifyTrigger/DifyTrigger.node';
import { appKey, type DifySim } from '../../simulators/dify';
import { startScripted } from '../../simulators/scripted';
import { useSimulator } from '../../simulators/use-simulator';
import { polling } from '../../support/poll-context';
import { feedback, startAnswered } from '../dify';

const startServer = useSimulator(startScripted);

const watching = (sim: Pick<DifySim, 'url'>, parameters: IDataObject = {}, run?: 'manual') =>
	polling(new DifyTrigger(), {
		parameters,
		credentials: () => ({ baseUrl: sim.url, apiKey: appKey('chat'), keyType: 'app' }),
		mode: run ?? 'trigger',
	});

const jsonOf = (result: Awaited<ReturnType<ReturnType<typeof polling>['poll']>>) =>
	result?.[0]?.map(({ json }) => json) ?? null;

describe('feedback', () => {
	it('starts the workflow for ratings since the last look, and again for one that was changed', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll } = watching(sim);
		expect(await poll()).toBeNull();
		await feedback(sim, { messageId, rating: 'like' });
		expect(jsonOf(await poll())).toMatchObject([
			{ event: 'feedback', isNew: true, message_id: messageId, rating: 'like' },
		]);
		expect(await poll()).toBeNull();
	});

	it.each([
		[{ rating: 'dislike' }, ['dislike']],
		[{ rating: 'like' }, ['like']],
		[{ options: { source: 'admin' } }, ['like']],
	])('only matching ratings: %j', async (wanted, ratings) => {
		const { sim, messageId } = await startAnswered();
		const { poll } = watching(sim, wanted);
		await poll();
		await feedback(sim, { messageId, rating: 'dislike' });
		const [given] = sim.app('chat').feedbacks;
		sim.app('chat').feedbacks.push({ ...given!, id: 'by-team', rating: 'like', source: 'admin' });
		expect(jsonOf(await poll())!.map(({ rating }) => rating)).toEqual(ratings);
	});

	it('the next poll makes up for a failed one', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll, stored } = watching(sim);
		await poll();
		await feedback(sim, { messageId, rating: 'like' });
		const before = stored();
		const app = sim.app('chat');
		app.apiEnabled = false;
		await expect(poll()).rejects.toThrow();
		expect(stored()).toEqual(before);
		app.apiEnabled = true;
		expect(jsonOf(await poll())).toHaveLength(1);
	});

	it('overlapping polls of n8n return no duplicates', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll, pollTwice } = watching(sim);
		await poll();
		await feedback(sim, { messageId, rating: 'like' });
		const given = (await pollTwice()).flatMap((result) => jsonOf(result) ?? []);
		expect(given).toMatchObject([{ rating: 'like' }]);
		expect(await poll()).toBeNull();
		await feedback(sim, { messageId, rating: 'dislike' });
		expect(jsonOf(await poll())).toHaveLength(1);
	});

	it('shows the newest ones in the editor, oldest first, and remembers nothing', async () => {
		const ids = ['a', 'b', 'c', 'd'];
		const newest = ids.map((id) => ({ id, rating: 'like' })).reverse();
		const { url } = await startServer((_request, response) => {
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({ data: newest }));
		});
		const { poll, stored } = watching({ url }, {}, 'manual');
		expect(jsonOf(await poll())!.map(({ id }) => id)).toEqual(['b', 'c', 'd']);
		expect(stored()).toEqual({});
	});

	it('shows only those in the editor that would start the workflow', async () => {
		const newest = ['like', 'dislike', 'like', 'like', 'like'].map((rating, at) => ({
			id: String(at),
			rating,
			from_source: at === 2 ? 'admin' : 'user',
		}));
		const { url } = await startServer((_request, response) => {
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({ data: newest }));
		});
		const shown = async (fields: IDataObject) =>
			jsonOf(await watching({ url }, fields, 'manual').poll());
		expect((await shown({ rating: 'dislike' }))!.map(({ id }) => id)).toEqual(['1']);
		expect(
			(await shown({ rating: 'like', options: { source: 'user' } }))!.map(({ id }) => id),
		).toEqual(['4', '3', '0']);
		expect(await shown({ rating: 'dislike', options: { source: 'admin' } })).toBeNull();
	});

	it('a rating that another worker wrote late, up to a minute older than the newest, starts the workflow', async () => {
		const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
		const record = (id: string, second: number) => ({
			id,
			rating: 'like',
			created_at: at(second).slice(0, -1),
			updated_at: at(second),
		});
		let records = [record('known', 120), record('older', 10)];
		const { url } = await startServer((_request, response) => {
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify({ data: records }));
		});
		const { poll } = watching({ url });
		expect(await poll()).toBeNull();
		records = [record('known', 120), record('late', 65), record('too late', 55), records[1]!];
		expect(jsonOf(await poll())!.map(({ id, isNew }) => [id, isNew])).toEqual([['late', true]]);
		expect(await poll()).toBeNull();
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
			response.setHeader('content-type', 'application/json');
			const at = Number(/[?&]page=(\d+)/.exec(path)![1]);
			response.end(JSON.stringify({ data: isFull ? pageAt(at) : [], has_more: true }));
		});
		const { poll } = watching({ url });
		await poll();
		isFull = true;
		const polled = poll();
		if (name.includes('error'))
			await expect(polled).rejects.toThrow('/app/feedbacks has more than 1000 pages');
		else expect(jsonOf(await polled)).toHaveLength(3);
		expect(requests).toHaveLength(1 + pages);
	});
});
