import { clock } from '../../../../lib/clock';
import * as fc from 'fast-check';

import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import { ServerError } from '../../../../lib/errors/server-error';
import type { Connection } from '../../../../lib/http/connection';
import { queuedRequests } from '../../../../lib/http/queue';
import { connectTo } from '../../../../lib/servers/connect';
import {
	type Attempt,
	type PoolOptions,
	ServerPool,
} from '../../../../lib/servers/pool/server-pool';
import { runningAt } from '../../../../lib/servers/occupancy';
import { retryUntilReady } from '../../../../lib/servers/retry';
import { examples } from '../../../support/properties';
import { clearSharedCaches } from '../../../../lib/lru-cache';

const START = 1_000_000;
let now = START;

beforeEach(() => {
	now = START;
	jest.spyOn(clock, 'now').mockImplementation(() => now);
});
afterEach(() => {
	jest.restoreAllMocks();
});

/** A pool of servers a, b, c, … that nothing is sent to. */
function poolOf(count: number, maxConcurrentRequests = 0): ServerPool {
	const servers = Array.from({ length: count }, (_none, at) => ({
		connection: connectTo({ baseUrl: `http://${'abcdef'[at]}:8080`, maxConcurrentRequests }),
	}));
	return new ServerPool(servers as [{ connection: Connection }]);
}

const nameOf = ({ connection }: { connection: Connection }) =>
	new URL(connection.url.origin).hostname;
const optionsOf = (more: Partial<PoolOptions> = {}): PoolOptions => ({
	model: 'm',
	use: 'chat',
	limits: {},
	retryPolicyAt: (connection) => retryUntilReady(connection, {}),
	...more,
});

/** Work that fails at some of the servers; what was asked is in `asked`, in order. */
function workOf(fails: Record<string, FailureKind | ServerError>) {
	const asked: string[] = [];
	const work = async (attempt: Attempt): Promise<string> => {
		const name = nameOf(attempt);
		asked.push(name);
		const failing = fails[name];
		if (failing === undefined) return name;
		throw failing instanceof ServerError
			? failing
			: failure(failing, attempt.connection.contextOf(`http://${name}:8080`));
	};
	return { asked, work };
}

const failureOf = async (promise: Promise<unknown>) =>
	await promise.then(
		() => {
			throw new Error('no failure');
		},
		(error: unknown) => error as ServerError,
	);
/** The server that a conversation goes to while all are well. */
const preferred = async (pool: ServerPool, conversation: string) =>
	(await pool.run(workOf({}).work, optionsOf({ conversation }))).value;
/** A conversation that goes to the server. */
async function conversationOf(pool: ServerPool, name: string): Promise<string> {
	for (let at = 0; ; at++) if ((await preferred(pool, `c${at}`)) === name) return `c${at}`;
}

describe('one server', () => {
	test('keeps its own retries', async () => {
		const seen: Attempt[] = [];
		const pool = ServerPool.of(connectTo({ baseUrl: 'http://a:8080', maxConcurrentRequests: 2 }));
		const served = await pool.open(async (attempt) => seen.push(attempt), optionsOf());
		expect(seen[0]!.newRetryPolicy).toBeDefined();
		expect(seen[0]!.connection.maxConcurrentRequests).toBe(2);
		expect([pool.hasSeveral, served.passedOver, runningAt(pool.first)]).toEqual([false, [], 1]);
		served.release();
		expect(runningAt(pool.first)).toBe(0);
		await expect(pool.run(workOf({ a: 'refused' }).work, optionsOf())).rejects.toMatchObject({
			kind: 'refused',
		});
		expect(runningAt(pool.first)).toBe(0);
	});
});

describe('a server that fails before it answers', () => {
	test('case B90: the other one answers, the first one rests for 30 s, and both are named', async () => {
		const pool = poolOf(2);
		const conversation = await conversationOf(pool, 'a');
		const broken = workOf({ a: 'refused' });
		const served = await pool.run(broken.work, optionsOf({ conversation }));
		expect(served).toMatchObject({
			value: 'b',
			passedOver: [
				{
					url: 'http://a:8080',
					why: expect.stringContaining('nothing listens') as string,
					wasAsked: true,
				},
			],
		});
		now += 29_000;
		expect(await pool.run(broken.work, optionsOf({ conversation }))).toMatchObject({
			value: 'b',
			passedOver: [{ url: 'http://a:8080', wasAsked: false }],
		});
		now += 1_000;
		await pool.run(broken.work, optionsOf({ conversation }));
		expect(broken.asked).toEqual(['a', 'b', 'b', 'a', 'b']);
		// Once more it rests twice as long.
		now += 59_000;
		const mended = workOf({});
		await pool.run(mended.work, optionsOf({ conversation }));
		now += 1_000;
		expect(await pool.run(mended.work, optionsOf({ conversation }))).toMatchObject({
			value: 'a',
			passedOver: [],
		});
		expect(mended.asked).toEqual(['b', 'a']);
	});

	test('is tried by one request when its rest is over, while the others go on elsewhere', async () => {
		const pool = poolOf(2);
		const conversation = await conversationOf(pool, 'a');
		await pool.run(workOf({ a: 'refused' }).work, optionsOf({ conversation }));
		now += 30_000;
		let answer = () => {};
		const answered = new Promise<void>((resolve) => {
			answer = resolve;
		});
		const asked: string[] = [];
		const slow = async (attempt: Attempt) => {
			asked.push(nameOf(attempt));
			if (nameOf(attempt) === 'a') await answered;
			return nameOf(attempt);
		};
		const all = [1, 2, 3].map(async () => await pool.run(slow, optionsOf({ conversation })));
		expect((await Promise.all(all.slice(1))).map(({ value }) => value)).toEqual(['b', 'b']);
		answer();
		expect((await all[0]!).value).toBe('a');
		expect(asked).toEqual(['a', 'b', 'b']);
	});

	test.each<FailureKind>(['unauthorized', 'badRequest', 'closedBeforeAnswer', 'totalLimit'])(
		'%s is said, not hidden: no other server is asked',
		async (kind) => {
			const pool = poolOf(2);
			const conversation = await conversationOf(pool, 'a');
			const { work, asked } = workOf({ a: kind });
			await expect(pool.run(work, optionsOf({ conversation }))).rejects.toMatchObject({ kind });
			expect(asked).toEqual(['a']);
			expect(runningAt(pool.first)).toBe(0);
		},
	);

	test('what the next one refuses carries what happened before', async () => {
		const pool = poolOf(2);
		const conversation = await conversationOf(pool, 'a');
		const failed = await failureOf(
			pool.run(workOf({ a: 'dns', b: 'unauthorized' }).work, optionsOf({ conversation })),
		);
		expect(failed).toMatchObject({
			kind: 'unauthorized',
			facts: { otherServers: [{ kind: 'dns' }] },
		});
	});

	test('a model that one server does not have rests there alone', async () => {
		const pool = poolOf(2);
		const conversation = await conversationOf(pool, 'a');
		const { work, asked } = workOf({ a: 'modelNotFound' });
		expect((await pool.run(work, optionsOf({ conversation }))).value).toBe('b');
		expect((await pool.run(work, optionsOf({ conversation }))).value).toBe('b');
		expect(
			(await pool.run(workOf({}).work, optionsOf({ conversation, model: 'other' }))).value,
		).toBe('a');
		expect(asked).toEqual(['a', 'b', 'b']);
	});

	test('has the model under its own name', async () => {
		const [a, b] = poolOf(2).connections as [Connection, Connection];
		const pool = new ServerPool([
			{ connection: a },
			{ connection: b, modelNamed: (asked) => `${asked}:latest` },
		]);
		const models: string[] = [];
		const served = await pool.run(
			async ({ connection, model }) => {
				models.push(model);
				if (nameOf({ connection }) === 'a') throw failure('refused', {});
			},
			optionsOf({ conversation: await conversationOf(pool, 'a') }),
		);
		expect(models).toEqual(['m', 'm:latest']);
		expect(served.model).toBe('m:latest');
		expect(pool.connectionsWithSameNames).toEqual([a]);
	});

	test('that is busy rests as long as it says itself', async () => {
		const pool = poolOf(2);
		const conversation = await conversationOf(pool, 'a');
		const { work, asked } = workOf({ a: failure('busy', {}, { facts: { retryAfterMs: 7_000 } }) });
		await pool.run(work, optionsOf({ conversation }));
		now += 6_999;
		await pool.run(work, optionsOf({ conversation }));
		now += 1;
		await pool.run(work, optionsOf({ conversation }));
		expect(asked).toEqual(['a', 'b', 'b', 'a', 'b']);
	});

	test('the pool does not handle other errors', async () => {
		const pool = poolOf(2);
		const bug = new TypeError('x is not a function');
		await expect(
			pool.run(async () => {
				throw bug;
			}, optionsOf()),
		).rejects.toBe(bug);
		expect(pool.connections.map(runningAt)).toEqual([0, 0]);
	});
});

describe('case B94: all servers fail', () => {
	test('one error lists each with its own diagnosis', async () => {
		const failed = await failureOf(
			poolOf(3).run(workOf({ a: 'refused', b: 'dns', c: 'tlsUntrusted' }).work, optionsOf()),
		);
		expect(failed.kind).toBe('allServersFailed');
		expect(
			(failed.facts.servers as Array<{ kind: string }>).map(({ kind }) => kind).sort(),
		).toEqual(['dns', 'refused', 'tlsUntrusted']);
		for (const name of ['a', 'b', 'c']) expect(failed.remedy).toContain(`http://${name}:8080`);
	});

	test('and all of them resting, they are asked all the same', async () => {
		const pool = poolOf(2);
		await failureOf(pool.run(workOf({ a: 'refused', b: 'refused' }).work, optionsOf()));
		const { work, asked } = workOf({});
		expect((await pool.run(work, optionsOf())).value).toBe(asked[0]);
	});

	test('all loading, they are waited for until one is ready', async () => {
		const pool = poolOf(2);
		const fails: Record<string, FailureKind> = { a: 'loading', b: 'loading' };
		const { work, asked } = workOf(fails);
		const counted = async (attempt: Attempt) => {
			if (asked.length === 3) delete fails.b;
			return await work(attempt);
		};
		expect((await pool.run(counted, optionsOf())).value).toBe('b');
		expect(asked.length).toBeLessThanOrEqual(5);
	});

	test('loading longer than the first-token limit, they are given up', async () => {
		const work = workOf({ a: 'loading', b: 'loading' });
		const retry: PoolOptions['retryPolicyAt'] = (connection) =>
			retryUntilReady(connection, { firstTokenMs: 100 });
		const failed = await failureOf(
			poolOf(2).run(work.work, optionsOf({ limits: { firstTokenMs: 100 }, retryPolicyAt: retry })),
		);
		expect(failed).toMatchObject({ kind: 'allServersFailed' });
		expect(work.asked).toHaveLength(2);
	});

	test('refused ones are tried again as often as Retries says, all of them each time', async () => {
		const work = workOf({ a: 'refused', b: 'refused' });
		const retry: PoolOptions['retryPolicyAt'] = (connection) =>
			retryUntilReady(connection, { retries: 1 });
		await failureOf(poolOf(2).run(work.work, optionsOf({ retryPolicyAt: retry })));
		expect([...work.asked].sort()).toEqual(['a', 'a', 'b', 'b']);
	});

	test('one that was silent through all of the first-token limit is not asked again', async () => {
		const work = workOf({ a: 'firstTokenLimit', b: 'refused' });
		const retry: PoolOptions['retryPolicyAt'] = (connection) =>
			retryUntilReady(connection, { retries: 1 });
		const failed = await failureOf(poolOf(2).run(work.work, optionsOf({ retryPolicyAt: retry })));
		expect(failed.kind).toBe('allServersFailed');
		expect([...work.asked].sort()).toEqual(['a', 'b', 'b']);
	});
});

describe('Stop', () => {
	test('between two servers ends it at once', async () => {
		const stop = new AbortController();
		const work = workOf({ a: 'refused', b: 'refused' });
		const stopping = async (attempt: Attempt) => {
			stop.abort();
			return await work.work(attempt);
		};
		await failureOf(poolOf(2).run(stopping, optionsOf({ signal: stop.signal })));
		expect(work.asked).toHaveLength(1);
	});

	test('while all are loading ends the pause', async () => {
		const stop = new AbortController();
		const pool = poolOf(2);
		const work = workOf({ a: 'loading', b: 'loading' });
		const stopping = async (attempt: Attempt) => {
			if (work.asked.length === 1) queueMicrotask(() => queueMicrotask(() => stop.abort()));
			return await work.work(attempt);
		};
		const failed = await failureOf(pool.run(stopping, optionsOf({ signal: stop.signal })));
		expect(['aborted', 'loading']).toContain(failed.kind);
		expect(pool.connections.map(runningAt)).toEqual([0, 0]);
	});

	test('while no place is free leaves the queues', async () => {
		const pool = poolOf(2, 1);
		const held = await Promise.all(
			[1, 2].map(async () => await pool.open(workOf({}).work, optionsOf())),
		);
		const stop = new AbortController();
		const waiting = failureOf(pool.run(workOf({}).work, optionsOf({ signal: stop.signal })));
		while (queuedRequests() < 2) await Promise.resolve();
		stop.abort();
		expect(await waiting).toMatchObject({ kind: 'aborted' });
		held.forEach(({ release }) => release());
		expect([queuedRequests(), ...pool.connections.map(runningAt)]).toEqual([0, 0, 0]);
	});
});

describe('distribution of requests', () => {
	test('case B93: the third of three waits for the first place that becomes free', async () => {
		const pool = poolOf(2, 1);
		const { work, asked } = workOf({});
		const first = await pool.open(work, optionsOf());
		const second = await pool.open(work, optionsOf());
		expect([...asked].sort()).toEqual(['a', 'b']);
		const third = pool.open(work, optionsOf());
		while (queuedRequests() < 2) await Promise.resolve();
		expect(asked).toHaveLength(2);
		second.release();
		const served = await third;
		expect(served.value).toBe(second.value);
		expect(queuedRequests()).toBe(0);
		first.release();
		served.release();
		expect(pool.connections.map(runningAt)).toEqual([0, 0]);
	});

	test('a wait for a place that takes the whole first-token limit says so', async () => {
		const pool = poolOf(2, 1);
		const held = await Promise.all(
			[1, 2].map(async () => await pool.open(workOf({}).work, optionsOf())),
		);
		const failed = await failureOf(
			pool.run(workOf({}).work, optionsOf({ limits: { firstTokenMs: 20 } })),
		);
		expect(failed).toMatchObject({ kind: 'firstTokenLimit', facts: { queued: true } });
		held.forEach(({ release }) => release());
	});

	test('case B92: five rounds of a conversation go to the same server', async () => {
		const pool = poolOf(3);
		const { work, asked } = workOf({});
		for (let round = 0; round < 5; round++)
			await pool.run(work, optionsOf({ conversation: 'one' }));
		expect(new Set(asked).size).toBe(1);
		// A pool of another execution, or of another worker.
		expect(await preferred(poolOf(3), 'one')).toBe(asked[0]);
	});

	test('requests without a conversation take turns', async () => {
		const pool = poolOf(3);
		const { work, asked } = workOf({});
		for (let round = 0; round < 6; round++) await pool.run(work, optionsOf());
		expect([...asked].sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
	});

	test('64 at once come to both servers alike, within one', async () => {
		const pool = poolOf(2);
		const { work, asked } = workOf({});
		const served = await Promise.all(
			Array.from(
				{ length: 64 },
				async (_none, at) => await pool.open(work, optionsOf({ conversation: `c${at}` })),
			),
		);
		const atA = asked.filter((name) => name === 'a').length;
		expect(Math.abs(atA - 32)).toBeLessThanOrEqual(1);
		served.forEach(({ release }) => release());
	});

	test('whatever fails, every place is freed', async () => {
		const kinds = fc.constantFrom<FailureKind | undefined>(
			undefined,
			'refused',
			'busy',
			'dns',
			'unauthorized',
			'modelNotFound',
		);
		await fc.assert(
			fc.asyncProperty(
				fc.array(
					fc.record({
						a: kinds,
						b: kinds,
						c: kinds,
						conversation: fc.option(fc.string(), { nil: undefined }),
					}),
					{
						maxLength: 6,
					},
				),
				fc.integer({ min: 0, max: 2 }),
				async (requests, limit) => {
					clearSharedCaches();
					const pool = poolOf(3, limit);
					await Promise.allSettled(
						requests.map(async ({ conversation, ...fails }) => {
							const known = Object.fromEntries(
								Object.entries(fails).filter(([, kind]) => kind !== undefined),
							);
							const { work, asked } = workOf(known as Record<string, FailureKind>);
							const outcome = await pool
								.run(work, optionsOf({ conversation }))
								.catch((error: ServerError) => error);
							if (outcome instanceof ServerError) expect(asked.length).toBeGreaterThan(0);
							else expect(outcome.value).toBe(asked.at(-1));
							expect(new Set(asked).size).toBe(asked.length);
						}),
					).then((results) =>
						expect(results.filter(({ status }) => status === 'rejected')).toEqual([]),
					);
					expect([queuedRequests(), ...pool.connections.map(runningAt)]).toEqual([0, 0, 0, 0]);
				},
			),
			examples(60),
		);
	});
});
