import fc from 'fast-check';

import { RequestQueue } from '../../../lib/http/queue';
import { examples } from '../../support/properties';
import { setImmediate } from '../../support/node';

const settled = async () =>
	await new Promise<void>((resolve) => {
		setImmediate(resolve);
	});

/** A request in the queue whose life a test steers. */
function enter(queue: RequestQueue, limit: number, controller = new AbortController()) {
	const request = {
		state: 'waiting' as 'waiting' | 'running' | 'left' | 'cancelled',
		reason: undefined as unknown,
		cancel: (reason?: unknown) => controller.abort(reason),
		leave: () => {},
	};
	queue.enter(limit, controller.signal).then(
		(leave) => {
			request.state = 'running';
			request.leave = () => {
				request.state = 'left';
				leave();
			};
		},
		(reason: unknown) => {
			request.state = 'cancelled';
			request.reason = reason;
		},
	);
	return request;
}

describe('RequestQueue', () => {
	test('case 97: no more at once than the limit, the others first come, first served', async () => {
		const queue = new RequestQueue();
		const requests = Array.from({ length: 5 }, () => enter(queue, 2));
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'running', 'waiting', 'waiting', 'waiting']);
		expect([queue.active, queue.length]).toEqual([2, 3]);
		requests[1]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'left', 'running', 'waiting', 'waiting']);
		requests[0]!.leave();
		requests[2]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['left', 'left', 'left', 'running', 'running']);
		expect([queue.active, queue.length]).toEqual([2, 0]);
	});

	test('0 means no limit', async () => {
		const queue = new RequestQueue();
		const requests = Array.from({ length: 50 }, () => enter(queue, 0));
		await settled();
		expect(requests.every(({ state }) => state === 'running')).toBe(true);
		expect(queue.active).toBe(50);
	});

	test('case 60: a cancelled request leaves the queue at once, with the reason', async () => {
		const queue = new RequestQueue();
		const [first, second, third] = [enter(queue, 1), enter(queue, 1), enter(queue, 1)];
		await settled();
		second.cancel('stopped by the user');
		expect(queue.length).toBe(1);
		await settled();
		expect(second).toMatchObject({ state: 'cancelled', reason: 'stopped by the user' });
		first.leave();
		await settled();
		expect(third.state).toBe('running');
		expect([queue.active, queue.length]).toEqual([1, 0]);
	});

	test('a request that is cancelled before it comes takes no place', async () => {
		const queue = new RequestQueue();
		const controller = new AbortController();
		controller.abort();
		const request = enter(queue, 1, controller);
		await settled();
		expect(request.state).toBe('cancelled');
		expect(queue.active).toBe(0);
	});

	test('cancelling one that runs changes nothing in the queue', async () => {
		const queue = new RequestQueue();
		const [first, second] = [enter(queue, 1), enter(queue, 1)];
		await settled();
		first.cancel();
		await settled();
		expect([first.state, second.state, queue.active]).toEqual(['running', 'waiting', 1]);
	});

	test('giving the place back twice frees one place', async () => {
		const queue = new RequestQueue();
		const leave = await queue.enter(1);
		const others = [enter(queue, 1), enter(queue, 1)];
		leave();
		leave();
		await settled();
		expect(others.map(({ state }) => state)).toEqual(['running', 'waiting']);
	});

	test('nobody slips in between a place that gets free and the one who waits for it', async () => {
		const queue = new RequestQueue();
		const leave = await queue.enter(1);
		const waiting = enter(queue, 1);
		await settled();
		leave();
		const newcomer = enter(queue, 1);
		await settled();
		expect([waiting.state, newcomer.state]).toEqual(['running', 'waiting']);
	});

	test.each([2, 0])('a limit raised from 1 to %d lets those in first who came first', async (raised) => {
		const queue = new RequestQueue();
		const requests = [enter(queue, 1), enter(queue, 1)];
		await settled();
		requests.push(enter(queue, raised));
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'running', raised === 0 ? 'running' : 'waiting']);
		expect(queue.length).toBe(raised === 0 ? 0 : 1);
	});

	test('a lowered limit holds for everyone who comes after', async () => {
		const queue = new RequestQueue();
		const requests = [enter(queue, 3), enter(queue, 3), enter(queue, 1)];
		await settled();
		requests[0]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['left', 'running', 'waiting']);
		requests[1]!.leave();
		await settled();
		expect(requests[2]!.state).toBe('running');
	});

	test('200 random arrivals, departures and cancellations: the limit holds, the order holds, nobody is forgotten', async () => {
		const step = fc.tuple(fc.constantFrom('enter', 'enter', 'leave', 'cancel', 'settle'), fc.nat());
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 5 }),
				fc.array(step, { minLength: 200, maxLength: 200 }),
				async (limit, steps) => {
					const queue = new RequestQueue();
					const requests: Array<ReturnType<typeof enter>> = [];
					const of = (state: string) => requests.filter((request) => request.state === state);
					const check = () => {
						expect(of('running').length).toBeLessThanOrEqual(limit);
						expect(queue.active).toBeLessThanOrEqual(limit);
						// First come, first served: nobody runs or ran who came after someone that waits.
						const firstWaiting = requests.findIndex(({ state }) => state === 'waiting');
						if (firstWaiting >= 0)
							expect(requests.slice(firstWaiting).some(({ state }) => state === 'running' || state === 'left')).toBe(
								false,
							);
					};
					for (const [act, which] of steps) {
						if (act === 'enter') requests.push(enter(queue, limit));
						const pool = of(act === 'leave' ? 'running' : 'waiting');
						const chosen = pool[which % Math.max(1, pool.length)];
						if (act === 'leave') chosen?.leave();
						if (act === 'cancel') chosen?.cancel();
						if (act === 'settle') {
							await settled();
							check();
							expect([queue.active, queue.length]).toEqual([of('running').length, of('waiting').length]);
						}
					}
					for (await settled(); queue.active > 0; await settled()) {
						check();
						for (const request of of('running')) request.leave();
					}
					expect([queue.length, of('waiting').length]).toEqual([0, 0]);
				},
			),
			examples(50),
		);
	});
});
