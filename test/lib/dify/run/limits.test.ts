import type { DifyAppMode } from '../../../../lib/dify/types';
import { performance } from '../../../support/node';
import { type Item, SAMPLES, type Step } from '../../../servers/dify';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, say } from '../client';
import { said } from '../play';
import { ALL, startTalk } from '../talk';

describe('transport', () => {
	test('case 37: only pings, then the end', async () => {
		const sim = await startTalk('chat', [], {
			reorder: () => [{ kind: 'ping' }, { kind: 'ping' }],
		});
		const failed = await failureOf(say(clientOf(sim), {}, { retries: 3, retryPauseMs: 1 }));
		expect(failed).toMatchObject({ kind: 'queued' });
		expect(failed.meaning).toContain('ended early: Dify closed it before the run began');
		expect(failed.remedy).toContain('may still run later');
		expect(sim.stops).toHaveLength(0);
		expect(calls(sim, '/chat-messages')).toBe(1);
	});

	test('case 37: pings for ever are not progress, and the run is stopped', async () => {
		const pinged = async (mode: DifyAppMode) => {
			const steps: Step[] = [
				...(mode.startsWith('agent') ? [{ round: { chunks: ['Hel'] } }] : said('Hel')),
				{ wait: 60_000 },
			];
			const sim = await startTalk(mode, { steps }, { pingEveryMs: 5 });
			const failed = await failureOf(
				say(clientOf(sim, mode), {}, { limits: { progressMs: 1500 } }),
			);
			expect(failed).toMatchObject({
				kind: 'timeout',
				partialText: 'Hel',
				facts: { stopRequested: true, taskId: sim.runs[0]!.taskId },
			});
			expect(failed.meaning).toContain('nothing but pings for 1.5 s');
			expect(sim.runs[0]).toMatchObject({ status: 'stopped', clientLeft: false });
			expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, user: 'u1', hit: true }]);
		};
		await Promise.all(ALL.map(pinged));
	});

	test('case 37: pings before any event leave no task to stop', async () => {
		const sim = await startTalk('chat', { steps: [{ wait: 60_000 }] }, { pingEveryMs: 5 });
		const failed = await failureOf(say(clientOf(sim), {}, { limits: { progressMs: 1500 } }));
		expect(failed).toMatchObject({ kind: 'timeout' });
		expect(failed.remedy).toContain('Celery worker');
		expect(failed.facts.stopRequested).toBeUndefined();
		await waitFor(() => sim.runs[0]!.clientLeft);
		expect(sim.stops).toHaveLength(0);
	});

	test('silence ends the run after the idle limit, and it is stopped', async () => {
		const sim = await startTalk('advanced-chat', {
			steps: [...said('Hel'), { wait: 60_000 }],
		});
		const failed = await failureOf(
			say(clientOf(sim, 'advanced-chat'), {}, { limits: { idleMs: 1500 } }),
		);
		expect(failed).toMatchObject({
			kind: 'timeout',
			partialText: 'Hel',
			facts: { stopRequested: true },
		});
		expect(failed.meaning).toContain('nothing arrived for 1.5 s');
		expect(sim.stops).toHaveLength(1);
		expect(sim.runs[0]).toMatchObject({ status: 'stopped', clientLeft: false });
	});

	test('the total limit ends a run that gets on, and it is stopped', async () => {
		const sim = await startTalk(
			'chat',
			Array.from({ length: 2000 }, (_, at) => `${at} `),
			{ delayMs: 5 },
		);
		const failed = await failureOf(say(clientOf(sim), {}, { limits: { totalMs: 1500 } }));
		expect(failed).toMatchObject({ kind: 'timeout', facts: { stopRequested: true } });
		expect(failed.meaning).toContain('longer than 1.5 s');
		expect(failed.partialText).toMatch(/^0 1 2 /);
		expect(sim.runs[0]).toMatchObject({ status: 'stopped', clientLeft: false });
	});

	test('without any byte the first-byte limit ends it', async () => {
		const sim = await startTalk('chat', 'x');
		sim.fail({ how: 'silence' });
		const failed = await failureOf(say(clientOf(sim), {}, { limits: { firstByteMs: 60 } }));
		expect(failed).toMatchObject({ kind: 'timeout' });
		expect(failed.meaning).toContain('Dify sent nothing within 60 ms');
		expect(failed.remedy).toContain('may have been started');
	});
});

describe('what the events mean', () => {
	test('a run that waits for a worker: one ping, then silence, with a limit and a text of its own', async () => {
		const items: Item[] = [{ kind: 'ping' }, { kind: 'wait', for: 60_000 }];
		const sim = await startTalk('advanced-chat', [], {
			reorder: () => items,
			pingEveryMs: 60_000,
		});
		const failed = await failureOf(
			say(
				clientOf(sim, 'advanced-chat'),
				{},
				{ limits: { idleMs: 100, queueMs: 600 }, retries: 3, retryPauseMs: 1 },
			),
		);
		expect(failed).toMatchObject({ kind: 'queued' });
		expect(failed.meaning).toContain('did not begin to work on it within 600 ms');
		expect(failed.remedy).toContain('may still run later');
		expect(calls(sim, '/chat-messages')).toBe(1);
	});
});

describe('grace', () => {
	const cutEnd = (name: string) => (items: Item[]) =>
		items.filter((item) => item.kind !== 'event' || item.event.event !== name);

	test('case 53: a failed chatflow whose socket stays open is told after two seconds', async () => {
		const sim = await startTalk(
			'advanced-chat',
			{ steps: said('par'), fail: 'boom' },
			{ holdOpen: true, pingEveryMs: 50 },
		);
		const begun = performance.now();
		expect(await failureOf(say(clientOf(sim, 'advanced-chat')))).toMatchObject({
			kind: 'runFailed',
			partialText: 'par',
		});
		expect(performance.now() - begun).toBeGreaterThan(1900);
		await waitFor(() => sim.runs[0]!.clientLeft);
	});

	test('is not begun anew by events that go on', async () => {
		const chatter = Array.from({ length: 120 }, (): Item[] => [
			{ kind: 'wait', for: 300 },
			{ kind: 'event', event: { event: 'brand_new' } },
		]).flat();
		const sim = await startTalk(
			'advanced-chat',
			{ steps: said('par'), fail: 'boom' },
			{ reorder: (items) => [...items, ...chatter] },
		);
		expect(await failureOf(say(clientOf(sim, 'advanced-chat')))).toMatchObject({
			kind: 'runFailed',
		});
	});

	test('a chatflow that lost its second closing event is cut off, not a success', async () => {
		const name = 'workflow_finished';
		const sim = await startTalk('advanced-chat', SAMPLES.chatflow, {
			reorder: cutEnd(name),
		});
		sim.fail({ method: 'GET', path: /^\/workflow/, status: 404, times: 99 });
		const waits = { unseenMs: 1 };
		const failed = await failureOf(say(clientOf(sim, 'advanced-chat'), {}, { waits }));
		expect(failed).toMatchObject({ kind: 'streamEndedEarly', partialText: 'Hello' });
		expect(failed.meaning).toContain(`${name} is missing`);
	});
});
