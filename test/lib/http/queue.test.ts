import fc from 'fast-check';

import { acquirePermit, RequestQueue } from '../../../lib/http/queue';
import type { PermitRequest } from '../../../lib/http/queue';
import { examples } from '../../support/jest/properties';
import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers';

const settle = async () =>
	await new Promise<void>((resolve) => {
		setImmediate(resolve);
	});

const createStats = () => ({ waitedMs: 0, hasPreemptedBatch: false, timesPreempted: 0 });

const INTERACTIVE: PermitRequest = {
	priority: 'interactive',
	preempt: () => false,
	stats: createStats(),
};

function createQueue(limit: number): RequestQueue {
	const queue = new RequestQueue('test');
	queue.limit = limit;
	return queue;
}

/** A request in the queue, controlled by the test. */
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
	test('a request that was admitted or canceled leaves no listener on its signal', async () => {
		const queue = createQueue(1);
		const controllers = Array.from({ length: 3 }, () => new AbortController());
		const count = () => controllers.map(({ signal }) => getEventListeners(signal, 'abort').length);
		const [first] = controllers.map((controller) => enter(queue, controller));
		await settle();
		expect(count()).toEqual([0, 1, 1]);
		first!.leave();
		controllers[2]!.abort();
		await settle();
		expect(count()).toEqual([0, 0, 0]);
	});

	test('a canceled request leaves the queue immediately, with the reason', async () => {
		const queue = createQueue(1);
		const [first, second, third] = [enter(queue), enter(queue), enter(queue)];
		await settle();
		second.cancel('stopped by the user');
		expect(queue.length).toBe(1);
		await settle();
		expect(second).toMatchObject({ state: 'cancelled', reason: 'stopped by the user' });
		first.leave();
		await settle();
		expect(third.state).toBe('running');
		expect([queue.active, queue.length]).toEqual([1, 0]);
	});

	test('a request that is already canceled gets no permit', async () => {
		const controller = new AbortController();
		controller.abort('stopped');
		const request = { ...INTERACTIVE, signal: controller.signal };
		await expect(acquirePermit('cancelled', 1, request)).rejects.toBe('stopped');
		const stats = createStats();
		const { release } = await acquirePermit('cancelled', 1, { ...INTERACTIVE, stats });
		expect(stats).toEqual(createStats());
		release();
	});

	test('canceling a running request does not change the queue', async () => {
		const queue = createQueue(1);
		const [first, second] = [enter(queue), enter(queue)];
		await settle();
		first.cancel();
		await settle();
		expect([first.state, second.state, queue.active]).toEqual(['running', 'waiting', 1]);
	});

	test('releasing a permit twice releases only one', async () => {
		const queue = createQueue(1);
		const { release } = await queue.acquire(INTERACTIVE);
		const others = [enter(queue), enter(queue)];
		release();
		release();
		await settle();
		expect(others.map(({ state }) => state)).toEqual(['running', 'waiting']);
	});

	test('for 200 random arrivals, ends and cancellations, limit and order hold, and every request is served', async () => {
		const step = fc.tuple(fc.constantFrom('enter', 'enter', 'leave', 'cancel', 'settle'), fc.nat());
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 5 }),
				fc.array(step, { minLength: 200, maxLength: 200 }),
				async (limit, steps) => {
					const queue = createQueue(limit);
					const requests: Array<ReturnType<typeof enter>> = [];
					const withState = (state: string) =>
						requests.filter((request) => request.state === state);
					const check = () => {
						expect(withState('running').length).toBeLessThanOrEqual(limit);
						expect(queue.active).toBeLessThanOrEqual(limit);
						// First come, first served: no request runs or ran that came after a waiting one.
						const firstWaiting = requests.findIndex(({ state }) => state === 'waiting');
						if (firstWaiting >= 0)
							expect(
								requests
									.slice(firstWaiting)
									.map(({ state }) => state)
									.filter((state) => /running|left/.test(state)),
							).toEqual([]);
					};
					for (const [action, index] of steps) {
						if (action === 'enter') requests.push(enter(queue));
						const candidates = withState(action === 'leave' ? 'running' : 'waiting');
						const request = candidates[index % Math.max(1, candidates.length)];
						if (action === 'leave') request?.leave();
						if (action === 'cancel') request?.cancel();
						if (action === 'settle') {
							await settle();
							check();
							expect([queue.active, queue.length]).toEqual([
								withState('running').length,
								withState('waiting').length,
							]);
						}
					}
					for (await settle(); queue.active > 0; await settle()) {
						check();
						for (const request of withState('running')) request.leave();
					}
					expect([queue.length, withState('waiting').length]).toEqual([0, 0]);
				},
			),
			examples(50),
		);
	});
});

describe('the queues of credentials', () => {
	/** The queue of a credential, for `enter` above. */
	const queueOf = (id: string, limit: number) => ({
		acquire: async (request: PermitRequest) =>
			await acquirePermit(`${limit} ${id}`, limit, request),
	});

	test('two credentials never wait for each other, even if only their limits differ', async () => {
		const first = [enter(queueOf('a', 1)), enter(queueOf('a', 1))];
		await settle();
		const others = [enter(queueOf('b', 1)), enter(queueOf('a', 2)), enter(queueOf('a', 2))];
		await settle();
		expect(others.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
		expect(first.map(({ state }) => state)).toEqual(['running', 'waiting']);
		for (const request of others) request.leave();
		await settle();
		expect(first[1]!.state).toBe('waiting');
		first[0]!.leave();
		await settle();
		expect(first[1]!.state).toBe('running');
		first[1]!.leave();
	});

	test('10,000 canceled requests leave', async () => {
		const queue = createQueue(1);
		const requests = Array.from({ length: 10_000 }, () => enter(queue));
		await settle();
		for (const request of requests.slice(1)) request.cancel();
		await settle();
		expect([queue.active, queue.length]).toEqual([1, 0]);
	});
});

describe('preemption', () => {
	/** A running batch request that can be preempted. */
	async function startBatch(queue: RequestQueue, isPreemptible = true) {
		const request = { preemptCount: 0, leave: () => {} };
		const preempt = () => {
			request.preemptCount++;
			if (isPreemptible) setImmediate(() => request.leave());
			return isPreemptible;
		};
		const { release } = await queue.acquire({ ...INTERACTIVE, priority: 'batch', preempt });
		request.leave = release;
		return request;
	}

	test('an interactive request preempts the newest request', async () => {
		const queue = createQueue(2);
		const [older, younger] = [await startBatch(queue), await startBatch(queue)];
		const stats = createStats();
		const { release } = await queue.acquire({ ...INTERACTIVE, stats });
		expect(stats.waitedMs).toBeGreaterThan(0);
		expect(stats.hasPreemptedBatch).toBe(true);
		expect([older.preemptCount, younger.preemptCount, queue.active]).toEqual([0, 1, 2]);
		release();
		expect(queue.active).toBe(1);
	});

	test('an older batch request is preempted if the newest one cannot be', async () => {
		const queue = createQueue(2);
		const [older, younger] = [await startBatch(queue), await startBatch(queue, false)];
		await queue.acquire(INTERACTIVE);
		expect([older.preemptCount, younger.preemptCount]).toEqual([1, 1]);
	});

	test('a batch request that got its permit after a minute of waiting is not preempted', async () => {
		const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
		const queue = createQueue(1);
		const { release } = await queue.acquire(INTERACTIVE);
		const batch = startBatch(queue);
		clock.mockReturnValue(60_000);
		void queue.acquire(INTERACTIVE);
		release();
		const { preemptCount } = await batch;
		void queue.acquire(INTERACTIVE);
		clock.mockRestore();
		expect(preemptCount).toBe(0);
		expect((await batch).preemptCount).toBe(0);
		expect([queue.active, queue.length]).toEqual([1, 2]);
	});

	test('each waiting interactive request preempts one batch request', async () => {
		const queue = createQueue(3);
		const batch = [await startBatch(queue), await startBatch(queue), await startBatch(queue)];
		void queue.acquire({ ...INTERACTIVE, priority: 'batch' });
		void queue.acquire({ ...INTERACTIVE, priority: 'batch' });
		expect(batch.map(({ preemptCount }) => preemptCount)).toEqual([0, 0, 0]);
		await Promise.all([1, 2].map(async () => await queue.acquire(INTERACTIVE)));
		expect(batch.map(({ preemptCount }) => preemptCount)).toEqual([0, 1, 1]);
		expect([queue.active, queue.length]).toEqual([3, 2]);
	});

	test('no request is preempted if a permit is free', async () => {
		const queue = createQueue(2);
		const batch = await startBatch(queue);
		await queue.acquire(INTERACTIVE);
		expect(batch.preemptCount).toBe(0);
	});
});

describe('the automatic limit', () => {
	test('the limit applies from the first request that has it, and earlier requests count', async () => {
		const slots: { known?: number } = {};
		const queue = {
			acquire: async (request: PermitRequest) =>
				await acquirePermit('auto', slots.known ?? Infinity, request),
		};
		const before = [enter(queue), enter(queue), enter(queue)];
		await settle();
		slots.known = 2;
		const after = enter(queue);
		await settle();
		expect([...before, after].map(({ state }) => state)).toEqual([
			'running',
			'running',
			'running',
			'waiting',
		]);
		before[0]!.leave();
		await settle();
		expect(after.state).toBe('waiting');
		before[1]!.leave();
		await settle();
		expect(after.state).toBe('running');
		before[2]!.leave();
		after.leave();
	});

	test('a higher limit starts waiting requests', async () => {
		const queue = {
			acquire: async (request: PermitRequest) => await acquirePermit('grows', 1, request),
		};
		const requests = [enter(queue), enter(queue), enter(queue)];
		await settle();
		void acquirePermit('grows', 3, INTERACTIVE);
		await settle();
		expect(requests.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
		for (const request of requests) request.leave();
	});
});

describe('a busy server', () => {
	const enterAll = (queue: RequestQueue, count: number) =>
		Promise.all(Array.from({ length: count }, async () => await queue.acquire(INTERACTIVE)));

	test('gets half as many requests at the same time, once for all that were on their way', async () => {
		let queues = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 20 }),
				fc.integer({ min: 1, max: 20 }),
				async (count, refused) => {
					const queue = new RequestQueue(`busy 1 ${++queues}`);
					queue.limit = Infinity;
					// Each is released when it is refused, while others are on their way.
					for (const [at, permit] of (await enterAll(queue, count)).entries()) {
						if (at < refused) permit.onRefuse();
						permit.release();
					}
					const half = Math.max(1, Math.floor(count / 2));
					const requests = Array.from({ length: count + 1 }, () => enter(queue));
					await settle();
					expect(requests.filter(({ state }) => state === 'running')).toHaveLength(half);
					for (const request of requests) request.cancel();
					for (const request of requests) request.leave();
				},
			),
		);
	});

	test('gets half as many again if it refuses one of those that came later', async () => {
		const queue = new RequestQueue('busy again');
		queue.limit = Infinity;
		for (const expected of [8, 4, 2, 1, 1]) {
			const permits = await enterAll(queue, expected);
			expect(queue.active).toBe(expected);
			for (const permit of permits) {
				permit.onRefuse();
				permit.release();
			}
		}
	});

	test('gets one more after each request that it takes, up to the limit', async () => {
		const queue = new RequestQueue('busy 2');
		queue.limit = 4;
		const [first, ...others] = await enterAll(queue, 4);
		first!.onRefuse();
		for (const permit of [first!, ...others]) permit.release();
		const counts: number[] = [];
		for (let taken = 0; taken < 4; taken++) {
			const requests = Array.from({ length: 6 }, () => enter(queue));
			await settle();
			counts.push(requests.filter(({ state }) => state === 'running').length);
			for (const request of requests) request.cancel();
			for (const request of requests) request.leave();
			others[0]!.onAccept();
		}
		expect(counts).toEqual([2, 3, 4, 4]);
	});

	test('gets at least one request, and what it takes is known to the next queue', async () => {
		const queue = new RequestQueue('busy 3');
		const [permit] = await enterAll(queue, 1);
		permit!.onRefuse();
		permit!.release();
		const next = new RequestQueue('busy 3');
		next.limit = 9;
		const requests = Array.from({ length: 3 }, () => enter(next));
		await settle();
		expect(requests.filter(({ state }) => state === 'running')).toHaveLength(1);
	});

	test('that has recovered is nothing to the next queue', async () => {
		const queue = new RequestQueue('busy 4');
		queue.limit = 4;
		const permits = await enterAll(queue, 4);
		permits[0]!.onRefuse();
		for (const permit of permits) permit.release();
		for (const permit of permits) permit.onAccept();
		const next = new RequestQueue('busy 4');
		next.limit = 4;
		const requests = Array.from({ length: 6 }, () => enter(next));
		await settle();
		expect(requests.filter(({ state }) => state === 'running')).toHaveLength(4);
	});
});
