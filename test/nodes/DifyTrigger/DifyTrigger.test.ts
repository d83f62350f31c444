import type { IDataObject } from 'n8n-workflow';

import { startRun, RUN_ROUTES } from '../../../lib/dify/run/run';
import { DifyTrigger } from '../../../nodes/DifyTrigger/DifyTrigger.node';
import { calls, clientOf, startApp } from '../../lib/dify/client';
import { appKey, type DifySim } from '../../servers/dify';
import { startScripted } from '../../servers/scripted';
import { useSimulator } from '../../servers/use-simulator';
import { polling } from '../../support/poll-context';
import { feedback, startAnswered } from '../dify';

const startServer = useSimulator(startScripted);

const watching = (
	sim: Pick<DifySim, 'url'>,
	mode: 'chat' | 'workflow',
	parameters: IDataObject,
	run?: 'manual',
) =>
	polling(new DifyTrigger(), {
		parameters,
		credentials: () => ({ baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' }),
		mode: run ?? 'trigger',
	});

const jsonOf = (result: Awaited<ReturnType<ReturnType<typeof polling>['poll']>>) =>
	result?.[0]?.map(({ json }) => json) ?? null;

it('a key whose app has no list of runs is refused when the trigger is activated', async () => {
	const sim = await startApp('1.16', { mode: 'chat' });
	const { poll } = watching(sim, 'chat', { event: 'workflowRun' });
	await expect(poll()).rejects.toThrow('a chatbot, and Dify lists the runs of workflow apps only');
});

describe('feedback', () => {
	const parameters = { event: 'feedback' };

	it('starts the workflow for ratings since the last look, and again for one that was changed', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll } = watching(sim, 'chat', parameters);
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
	])('only those that were asked for: %j', async (wanted, ratings) => {
		const { sim, messageId } = await startAnswered();
		const { poll } = watching(sim, 'chat', { ...parameters, ...wanted });
		await poll();
		await feedback(sim, { messageId, rating: 'dislike' });
		const [given] = sim.app('chat').feedbacks;
		sim.app('chat').feedbacks.push({ ...given!, id: 'by-team', rating: 'like', source: 'admin' });
		expect(jsonOf(await poll())!.map(({ rating }) => rating)).toEqual(ratings);
	});

	it('the next poll makes up for a failed one', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll, stored } = watching(sim, 'chat', parameters);
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

	it('overlapping polls of n8n give nothing twice', async () => {
		const { sim, messageId } = await startAnswered();
		const { poll, pollTwice } = watching(sim, 'chat', parameters);
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
		const { poll, stored } = watching({ url }, 'chat', parameters, 'manual');
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
			jsonOf(await watching({ url }, 'chat', { ...parameters, ...fields }, 'manual').poll());
		expect((await shown({ rating: 'dislike' }))!.map(({ id }) => id)).toEqual(['1']);
		expect(
			(await shown({ rating: 'like', options: { source: 'user' } }))!.map(({ id }) => id),
		).toEqual(['4', '3', '0']);
		expect(await shown({ rating: 'dislike', options: { source: 'admin' } })).toBeNull();
	});
});

describe('runs of a workflow app', () => {
	const parameters = { event: 'workflowRun' };
	const talking = async () =>
		await startApp('1.14', {
			mode: 'workflow',
			form: [{ kind: 'paragraph', variable: 'query' }],
			reply: ({ inputs }) => ({
				steps: [],
				outputs: { answer: `to ${String(inputs.query)}` },
				...(inputs.query === 'bad' ? { fail: 'broken' } : {}),
			}),
		});
	const run = async (sim: DifySim, query: string, user = 'u1') =>
		await startRun(
			clientOf(sim, 'workflow'),
			RUN_ROUTES.workflow,
			{ inputs: { query } },
			user,
		).catch(() => undefined);

	it('starts the workflow for runs that ended, with inputs and outputs, oldest first', async () => {
		const sim = await talking();
		await run(sim, 'old');
		const { poll } = watching(sim, 'workflow', parameters);
		expect(await poll()).toBeNull();
		await run(sim, 'one');
		await run(sim, 'two', 'u2');
		expect(jsonOf(await poll())).toMatchObject([
			{ status: 'succeeded', user: 'u1', inputs: { query: 'one' }, outputs: { answer: 'to one' } },
			{ status: 'succeeded', user: 'u2', inputs: { query: 'two' }, outputs: { answer: 'to two' } },
		]);
		expect(await poll()).toBeNull();
	});

	it.each([
		[{ statuses: ['failed'] }, ['bad']],
		[{ statuses: ['succeeded'] }, ['one', 'two']],
		[{ options: { user: 'u2' } }, ['two']],
	])('only those that were asked for: %j', async (wanted, queries) => {
		const sim = await talking();
		const { poll } = watching(sim, 'workflow', { ...parameters, ...wanted });
		await poll();
		for (const [query, user] of [
			['one', 'u1'],
			['bad', 'u1'],
			['two', 'u2'],
		] as const)
			await run(sim, query, user);
		expect(jsonOf(await poll())!.map(({ inputs }) => (inputs as IDataObject).query)).toEqual(
			queries,
		);
	});

	it('does not request inputs and outputs without the option', async () => {
		const sim = await talking();
		const { poll } = watching(sim, 'workflow', { ...parameters, options: { withOutputs: false } });
		await poll();
		await run(sim, 'one');
		const before = calls(sim, /workflows\/run\//, 'GET');
		expect(jsonOf(await poll())).toEqual([
			expect.not.objectContaining({ outputs: expect.anything() as unknown }),
		]);
		expect(calls(sim, /workflows\/run\//, 'GET')).toBe(before);
	});

	it('shows the newest ones in the editor, oldest first', async () => {
		const sim = await talking();
		for (const query of ['a', 'b', 'c', 'd']) await run(sim, query);
		const shown = jsonOf(await watching(sim, 'workflow', parameters, 'manual').poll());
		expect(shown!.map(({ inputs }) => (inputs as IDataObject).query)).toEqual(['b', 'c', 'd']);
		const failed = { ...parameters, statuses: ['failed'] };
		expect(await watching(sim, 'workflow', failed, 'manual').poll()).toBeNull();
	});
});

it('an event that does not exist', async () => {
	const { sim } = await startAnswered();
	await expect(watching(sim, 'chat', { event: 'birthday' }).poll()).rejects.toThrow('"Event"');
});
