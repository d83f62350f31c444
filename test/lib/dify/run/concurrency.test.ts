import * as fc from 'fast-check';

import { RunConcurrency } from '../../../../lib/dify/run/concurrency';
import { retryAfterMs } from '../../../../lib/http/retry-after';
import { SIM_VERSIONS, type Step } from '../../../servers/dify';
import { delay } from '../../../support/node';
import { examples } from '../../../support/properties';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, say, startApp, startSim } from '../client';

const TOO_MANY =
	'Too many requests. Please try again later. The current maximum concurrent requests allowed for app is 1.';

describe.each(SIM_VERSIONS)('more messages at once than the app allows, %s', (version) => {
	test('are all answered: those that are refused wait for the others to end', async () => {
		const steps: Step[] = [{ text: 'a' }, { wait: 40 }, { text: 'b' }];
		const sim = await startApp(version, { mode: 'chat', maxActive: 3, reply: () => ({ steps }) });
		const client = clientOf(sim);
		const answers = await Promise.all(Array.from({ length: 9 }, async () => await say(client)));
		expect(answers.map(({ result }) => result.text)).toEqual(Array(9).fill('ab'));
		expect(sim.runs).toHaveLength(9);
		// Six are refused at first; after that no more are sent at once than Dify took.
		expect(calls(sim, '/chat-messages')).toBeLessThanOrEqual(9 + 6 + 2);
	});

	test('a run that waits for its turn ends with the execution', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			maxActive: 1,
			reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }),
		});
		const stops = [new AbortController(), new AbortController()];
		const running = stops.map(
			async ({ signal }) => await failureOf(say(clientOf(sim).withSignal(signal))),
		);
		await waitFor(
			() => sim.requests.filter(({ status }) => status !== undefined && status >= 400).length === 1,
		);
		await delay(20);
		for (const stop of stops) stop.abort();
		expect((await Promise.all(running)).map(({ kind }) => kind)).toEqual([
			'cancelled',
			'cancelled',
		]);
		expect(sim.runs).toHaveLength(1);
	});

	test('a run that is sent again shares the limit with the runs that began meanwhile', async () => {
		let runs = 0;
		const sim = await startApp(version, {
			mode: 'chat',
			reply: () => ({ steps: runs++ === 0 ? [{ text: 'a' }, { wait: 60_000 }] : [{ text: 'b' }] }),
		});
		sim.fail({
			path: '/chat-messages',
			times: 1,
			status: 429,
			body: JSON.stringify({ code: 'too_many_requests', message: TOO_MANY, status: 429 }),
			contentType: 'application/json',
		});
		const client = clientOf(sim);
		const again = say(client, {}, { retries: 1, retryPauseMs: 300 });
		await waitFor(() => calls(sim, '/chat-messages') === 1);
		await delay(20);
		const stop = new AbortController();
		const long = failureOf(say(client.withSignal(stop.signal)));
		await waitFor(() => sim.runs.length === 1);
		const { concurrency } = client;
		expect((await again).result.text).toBe('b');
		expect(client.concurrency).toBe(concurrency);
		stop.abort();
		expect(await long).toMatchObject({ kind: 'cancelled' });
	});

	test('if other clients use up the limit, the retries count', async () => {
		const sim = await startSim({ version });
		sim.fail({
			path: '/chat-messages',
			times: 9,
			status: 429,
			body: JSON.stringify({ code: 'too_many_requests', message: TOO_MANY, status: 429 }),
			contentType: 'application/json',
		});
		const failed = await failureOf(say(clientOf(sim), {}, { retries: 2, retryPauseMs: 1 }));
		expect(failed).toMatchObject({ kind: 'tooManyRequests' });
		expect(calls(sim, '/chat-messages')).toBe(3);
	});
});

describe('Retry-After', () => {
	const limited = {
		path: '/chat-messages',
		status: 429,
		body: 'slow down',
		contentType: 'text/plain',
	};

	test('of an hour is a failure at once', async () => {
		const sim = await startSim();
		sim.fail({ ...limited, headers: { 'Retry-After': '3600' } });
		expect(await failureOf(say(clientOf(sim), {}, { retries: 5, retryPauseMs: 1 }))).toMatchObject({
			kind: 'rateLimited',
			facts: { retryAfterMs: 3_600_000 },
		});
		expect(calls(sim, '/chat-messages')).toBe(1);
	});

	test('has seconds or a date', () => {
		const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
		expect(retryAfterMs('120', now)).toBe(120_000);
		expect(retryAfterMs('Wed, 21 Oct 2026 07:29:00 GMT', now)).toBe(60_000);
		expect(retryAfterMs('Wed, 21 Oct 2026 07:00:00 GMT', now)).toBe(0);
		for (const nonsense of [undefined, '', 'soon', '-5', '1e9', 'x'.repeat(1000)])
			expect(retryAfterMs(nonsense, now)).toBeUndefined();
	});
});

describe('Dify 1.14 counts a streamed chatflow twice', () => {
	test.each([
		['1.14.2', true],
		['1.12.1', false],
	])('so a limit of 1 is told at the first one (%s)', async (dify, isTold) => {
		const sim = await startSim({ version: '1.12' });
		sim.fail({
			path: '/chat-messages',
			status: 400,
			body: JSON.stringify({ code: 'invalid_param', message: TOO_MANY, status: 400 }),
			contentType: 'application/json',
			headers: { 'X-Version': dify },
		});
		const failed = await failureOf(say(clientOf(sim, 'advanced-chat')));
		expect(failed.kind).toBe('tooManyRequests');
		expect(failed.remedy.includes('twice')).toBe(isTold);
	});
});

describe('places', () => {
	test('never admit more than Dify accepted, and serve all waiting runs', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 6 }),
				fc.integer({ min: 1, max: 20 }),
				async (limit, count) => {
					const places = new RunConcurrency();
					let active = 0;
					let done = 0;
					const run = async () => {
						for (;;) {
							await places.enter();
							if (active < limit) break;
							// The only run here, while other clients use up the app's limit: gives up after some retries.
							if (!places.refused()) throw new Error('refused although no own run is there');
						}
						active++;
						await Promise.resolve();
						active--;
						places.accepted();
						places.leave();
						done++;
					};
					await Promise.all(Array.from({ length: count }, run));
					expect([active, done]).toEqual([0, count]);
				},
			),
			examples(20),
		);
	});

	test('grow again after a while without a refusal', async () => {
		const places = new RunConcurrency();
		for (let at = 0; at < 3; at++) await places.enter();
		expect(places.refused()).toBe(true);
		let entered = false;
		void places.enter().then(() => (entered = true));
		await delay(5);
		expect(entered).toBe(false);
		for (let at = 0; at < 8; at++) places.accepted();
		places.leave();
		await waitFor(() => entered);
	});
});
