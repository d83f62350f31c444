import fc from 'fast-check';

import { acquirePermit, type PermitRequest, RequestQueue } from '../../../lib/http/queue';
import { examples } from '../../support/properties';
import { setImmediate } from '../../support/node-builtins';

const settled = async () =>
	await new Promise<void>((resolve) => {
		setImmediate(resolve);
	});

const INTERACTIVE: PermitRequest = { priority: 'interactive', preempt: () => false };

function queueOf(limit: number): RequestQueue {
	const queue = new RequestQueue('test');
	queue.limit = limit;
	return queue;
}

/** A request in the queue whose life a test steers. */
function enter(queue: Pick<RequestQueue, 'acquire'>, controller = new AbortController()) {
	const request = {
		state: 'waiting' as 'waiting' | 'running' | 'left' | 'cancelled',
		reason: undefined as unknown,
		cancel: (reason?: unknown) => controller.abort(reason),
		leave: () => {},
	};
	queue.acquire({ ...INTERACTIVE, signal: controller.signal }).then(
		({ release }) => {
			request.state = 'running';
			request.leave = () => {
				request.state = 'left';
				release();
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
	test('case 97: at most as many concurrent requests as the limit, the others first come, first served', async () => {
		const queue = queueOf(2);
		const requests = Array.from({ length: 5 }, () => enter(queue));
		await settled();
		expect(requests.map(({ state }) => state)).toEqual([
			'running',
			'running',
			'waiting',
			'waiting',
			'waiting',
		]);
		expect([queue.active, queue.length]).toEqual([2, 3]);
		requests[1]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual([
			'running',
			'left',
			'running',
			'waiting',
			'waiting',
		]);
		requests[0]!.leave();
		requests[2]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual([
			'left',
			'left',
			'left',
			'running',
			'running',
		]);
		expect([queue.active, queue.length]).toEqual([2, 0]);
	});

	test('case 60: a cancelled request leaves the queue at once, with the reason', async () => {
		const queue = queueOf(1);
		const [first, second, third] = [enter(queue), enter(queue), enter(queue)];
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

	test('an already cancelled request takes no place', async () => {
		const controller = new AbortController();
		controller.abort('stopped');
		const request = { ...INTERACTIVE, signal: controller.signal };
		await expect(acquirePermit('cancelled', 1, request)).rejects.toBe('stopped');
		const { release, waitedMs } = await acquirePermit('cancelled', 1, INTERACTIVE);
		expect(waitedMs).toBe(0);
		release();
	});

	test('cancelling one that runs changes nothing in the queue', async () => {
		const queue = queueOf(1);
		const [first, second] = [enter(queue), enter(queue)];
		await settled();
		first.cancel();
		await settled();
		expect([first.state, second.state, queue.active]).toEqual(['running', 'waiting', 1]);
	});

	test('freeing a place twice frees only one', async () => {
		const queue = queueOf(1);
		const { release } = await queue.acquire(INTERACTIVE);
		const others = [enter(queue), enter(queue)];
		release();
		release();
		await settled();
		expect(others.map(({ state }) => state)).toEqual(['running', 'waiting']);
	});

	test('a freed place goes to the first waiting request, before new ones', async () => {
		const queue = queueOf(1);
		const { release } = await queue.acquire(INTERACTIVE);
		const waiting = enter(queue);
		await settled();
		release();
		const newcomer = enter(queue);
		await settled();
		expect([waiting.state, newcomer.state]).toEqual(['running', 'waiting']);
	});

	test('200 random arrivals, ends and cancellations: limit and order hold, and every request is served', async () => {
		const step = fc.tuple(fc.constantFrom('enter', 'enter', 'leave', 'cancel', 'settle'), fc.nat());
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 5 }),
				fc.array(step, { minLength: 200, maxLength: 200 }),
				async (limit, steps) => {
					const queue = queueOf(limit);
					const requests: Array<ReturnType<typeof enter>> = [];
					const of = (state: string) => requests.filter((request) => request.state === state);
					const check = () => {
						expect(of('running').length).toBeLessThanOrEqual(limit);
						expect(queue.active).toBeLessThanOrEqual(limit);
						// First come, first served: nobody runs or ran who came after someone that waits.
						const firstWaiting = requests.findIndex(({ state }) => state === 'waiting');
						if (firstWaiting >= 0)
							expect(
								requests
									.slice(firstWaiting)
									.some(({ state }) => state === 'running' || state === 'left'),
							).toBe(false);
					};
					for (const [act, which] of steps) {
						if (act === 'enter') requests.push(enter(queue));
						const pool = of(act === 'leave' ? 'running' : 'waiting');
						const chosen = pool[which % Math.max(1, pool.length)];
						if (act === 'leave') chosen?.leave();
						if (act === 'cancel') chosen?.cancel();
						if (act === 'settle') {
							await settled();
							check();
							expect([queue.active, queue.length]).toEqual([
								of('running').length,
								of('waiting').length,
							]);
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

describe('the queues of credentials', () => {
	/** The queue of a credential, as `enter` above takes it. */
	const of = (id: string, limit: number) => ({
		acquire: async (request: PermitRequest) =>
			await acquirePermit(`${limit} ${id}`, limit, request),
	});

	test('two credentials never wait for each other, also where they differ in their limit only', async () => {
		const first = [enter(of('a', 1)), enter(of('a', 1))];
		await settled();
		const others = [enter(of('b', 1)), enter(of('a', 2)), enter(of('a', 2))];
		await settled();
		expect(others.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
		expect(first.map(({ state }) => state)).toEqual(['running', 'waiting']);
		for (const request of others) request.leave();
		await settled();
		expect(first[1]!.state).toBe('waiting');
		first[0]!.leave();
		await settled();
		expect(first[1]!.state).toBe('running');
		first[1]!.leave();
	});

	test('one that waited is counted until it leaves', async () => {
		const requests = [enter(of('a', 1)), enter(of('a', 1)), enter(of('a', 1))];
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'waiting', 'waiting']);
		requests[2]!.cancel();
		requests[0]!.leave();
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['left', 'running', 'cancelled']);
		const next = enter(of('a', 1));
		await settled();
		expect(next.state).toBe('waiting');
		requests[1]!.leave();
		await settled();
		expect(next.state).toBe('running');
		next.leave();
	});

	test('10,000 that are cancelled leave', async () => {
		const queue = queueOf(1);
		const requests = Array.from({ length: 10_000 }, () => enter(queue));
		await settled();
		for (const request of requests.slice(1)) request.cancel();
		await settled();
		expect([queue.active, queue.length]).toEqual([1, 0]);
	});
});

describe('giving up a place', () => {
	/** A running request that gives up its place when it is told to. */
	async function running(queue: RequestQueue, givesUp = true) {
		const request = { told: 0, leave: () => {} };
		const preempt = () => {
			request.told++;
			if (givesUp) setImmediate(() => request.leave());
			return givesUp;
		};
		const { release } = await queue.acquire({ priority: 'batch', preempt });
		request.leave = release;
		return request;
	}

	test('an interactive request preempts the newest request', async () => {
		const queue = queueOf(2);
		const [older, younger] = [await running(queue), await running(queue)];
		const { release, ...waited } = await queue.acquire(INTERACTIVE);
		expect(waited).toEqual({ waitedMs: expect.any(Number) as number, hasPreemptedBatch: true });
		expect([older.told, younger.told, queue.active]).toEqual([0, 1, 2]);
		release();
		expect(queue.active).toBe(1);
	});

	test('one that keeps its place is passed over for an older one', async () => {
		const queue = queueOf(2);
		const [older, younger] = [await running(queue), await running(queue, false)];
		await queue.acquire(INTERACTIVE);
		expect([older.told, younger.told]).toEqual([1, 1]);
	});

	test('one that came in front of persons after a minute keeps its place', async () => {
		const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
		const queue = queueOf(1);
		const { release } = await queue.acquire(INTERACTIVE);
		const batch = running(queue);
		clock.mockReturnValue(60_000);
		void queue.acquire(INTERACTIVE);
		release();
		const { told } = await batch;
		void queue.acquire(INTERACTIVE);
		clock.mockRestore();
		expect(told).toBe(0);
		expect((await batch).told).toBe(0);
		expect([queue.active, queue.length]).toEqual([1, 2]);
	});

	test('each waiting interactive request preempts one batch request', async () => {
		const queue = queueOf(3);
		const batch = [await running(queue), await running(queue), await running(queue)];
		void queue.acquire({ ...INTERACTIVE, priority: 'batch' });
		void queue.acquire({ ...INTERACTIVE, priority: 'batch' });
		expect(batch.map(({ told }) => told)).toEqual([0, 0, 0]);
		await Promise.all([1, 2].map(async () => await queue.acquire(INTERACTIVE)));
		expect(batch.map(({ told }) => told)).toEqual([0, 1, 1]);
		expect([queue.active, queue.length]).toEqual([3, 2]);
	});

	test('with a free place, nobody is told', async () => {
		const queue = queueOf(2);
		const batch = await running(queue);
		await queue.acquire(INTERACTIVE);
		expect(batch.told).toBe(0);
	});
});

describe('the automatic limit', () => {
	test('it counts from the request on with which it becomes known, also those before', async () => {
		const places: { known?: number } = {};
		const queue = {
			acquire: async (request: PermitRequest) =>
				await acquirePermit('auto', places.known ?? Infinity, request),
		};
		const before = [enter(queue), enter(queue), enter(queue)];
		await settled();
		places.known = 2;
		const after = enter(queue);
		await settled();
		expect([...before, after].map(({ state }) => state)).toEqual([
			'running',
			'running',
			'running',
			'waiting',
		]);
		before[0]!.leave();
		await settled();
		expect(after.state).toBe('waiting');
		before[1]!.leave();
		await settled();
		expect(after.state).toBe('running');
		before[2]!.leave();
		after.leave();
	});

	test('more places let in those that wait', async () => {
		const queue = {
			acquire: async (request: PermitRequest) => await acquirePermit('grows', 1, request),
		};
		const requests = [enter(queue), enter(queue), enter(queue)];
		await settled();
		void acquirePermit('grows', 3, INTERACTIVE);
		await settled();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
		for (const request of requests) request.leave();
	});
});
