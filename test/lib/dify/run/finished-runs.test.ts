import fc from 'fast-check';

import type { DifyClient } from '../../../../lib/dify/client';
import { finishedRuns, newestRuns, type RunMemory } from '../../../../lib/dify/run/finished-runs';
import { recordOf } from '../../../../lib/values';

interface Run {
	id: string;
	status: string;
	createdAt: number;
}

/** The log of a workflow app, as Dify lists it: newest first, with runs that go on. */
class App {
	readonly runs: Run[] = [];
	requests = 0;
	failsAt = Infinity;
	clock = 1_795_000_000;

	start(id: string, status = 'running', { startedAfter = 0 } = {}): void {
		this.runs.push({ id, status, createdAt: this.clock + startedAfter });
	}

	end(id: string, status = 'succeeded'): void {
		const run = this.runs.find((one) => one.id === id);
		if (run !== undefined) run.status = status;
	}

	client(): DifyClient {
		return {
			get: async (
				_path: string,
				query: { page: number; limit: number; created_at__after?: string },
			) => {
				this.requests += 1;
				if (this.requests >= this.failsAt) throw new Error('502');
				const after =
					query.created_at__after === undefined ? 0 : Date.parse(query.created_at__after) / 1000;
				const all = this.runs
					.filter(({ createdAt }) => createdAt >= after)
					.toReversed()
					.sort((one, other) => other.createdAt - one.createdAt);
				return {
					data: all.slice((query.page - 1) * query.limit, query.page * query.limit).map((run) => ({
						id: `entry-${run.id}`,
						workflow_run: { id: run.id, status: run.status, created_at: run.createdAt },
						created_at: run.createdAt,
					})),
					has_more: all.length > query.page * query.limit,
				};
			},
		} as unknown as DifyClient;
	}
}

class Poller {
	memory: RunMemory | undefined;
	readonly given: string[] = [];

	constructor(
		readonly app: App,
		/** How far the clock of n8n is ahead of Dify's, in seconds. */
		readonly ahead = 0,
	) {}

	async poll(): Promise<string[]> {
		const now = this.app.clock + this.ahead;
		const { memory, found } = await finishedRuns(this.app.client(), this.memory, now);
		this.memory = JSON.parse(JSON.stringify(memory)) as RunMemory;
		const ids = found.map((entry) => String(recordOf(entry.workflow_run).id));
		this.given.push(...ids);
		return ids;
	}
}

describe('runs that ended', () => {
	it('leaves alone what had ended before, and gives what ran then', async () => {
		const app = new App();
		for (let i = 0; i < 350; i += 1) app.start(`old-${i}`, 'succeeded');
		app.clock += 1;
		app.start('a');
		const poller = new Poller(app);
		expect(await poller.poll()).toEqual([]);
		app.clock += 600;
		app.start('b', 'failed');
		expect(await poller.poll()).toEqual(['b']);
		app.end('a');
		expect(await poller.poll()).toEqual(['a']);
		expect(await poller.poll()).toEqual([]);
	});

	it('waits for a run that a person must answer', async () => {
		const poller = new Poller(new App());
		await poller.poll();
		poller.app.start('form', 'paused');
		expect(await poller.poll()).toEqual([]);
		poller.app.clock += 7200;
		poller.app.start('other', 'succeeded');
		poller.app.end('form', 'partial-succeeded');
		expect(await poller.poll()).toEqual(['form', 'other']);
	});

	it('a stopped run that says "running" for ever is given up after a day', async () => {
		const poller = new Poller(new App());
		await poller.poll();
		poller.app.start('stopped');
		poller.app.clock += 25 * 3600;
		for (let i = 0; i < 50; i += 1) poller.app.start(`n-${i}`, 'succeeded');
		expect(await poller.poll()).toHaveLength(50);
		poller.app.clock += 3600;
		poller.app.start('last', 'succeeded');
		expect(await poller.poll()).toEqual(['last']);
		expect(poller.memory!.since).toBe(poller.app.clock - 60);
	});

	it('gives nothing for archived entries, and for an app without runs', async () => {
		const client = {
			get: async () => ({ data: [{ id: 'x', workflow_run: null, created_at: 5 }] }),
		};
		const { memory, found } = await finishedRuns(client as unknown as DifyClient, undefined);
		expect([memory, found]).toEqual([{ since: 0, given: [] }, []]);
	});

	it('gives every run once, whatever comes between, and whichever poll fails', async () => {
		const step = fc.oneof(
			fc.record({
				does: fc.constant('start' as const),
				count: fc.integer({ min: 1, max: 120 }),
				seconds: fc.nat(200),
			}),
			fc.record({
				does: fc.constant('end' as const),
				share: fc.double({ min: 0, max: 1, noNaN: true }),
			}),
			fc.record({
				does: fc.constant('poll' as const),
				failsAfter: fc.option(fc.nat(2), { nil: undefined }),
			}),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
				const app = new App();
				const poller = new Poller(app);
				await poller.poll();
				for (const one of steps) {
					if (one.does === 'start')
						for (let i = 0; i < one.count; i += 1) {
							app.clock += Math.floor(one.seconds / one.count);
							app.start(`${app.runs.length}`);
						}
					if (one.does === 'end')
						for (const run of app.runs.slice(0, Math.ceil(app.runs.length * one.share)))
							run.status = 'succeeded';
					if (one.does === 'poll') {
						app.failsAt =
							one.failsAfter === undefined ? Infinity : app.requests + 1 + one.failsAfter;
						await poller.poll().catch(() => undefined);
						app.failsAt = Infinity;
					}
				}
				for (const run of app.runs) run.status = 'succeeded';
				await poller.poll();
				expect(poller.given.toSorted()).toEqual(app.runs.map(({ id }) => id).toSorted());
			}),
		);
	});

	it('a run out of the future hides none, where the clock of n8n is no more than a minute ahead', async () => {
		const DAY_S = 24 * 3600;
		const count = fc.integer({ min: 0, max: 250 });
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: -DAY_S, max: 60 }),
				fc.array(count, { minLength: 2, maxLength: 6 }),
				fc.array(fc.nat(4), { maxLength: 3 }),
				async (ahead, counts, jumps) => {
					const app = new App();
					const poller = new Poller(app, ahead);
					const start = (startedAfter = 0) => {
						app.clock += 30;
						app.start(`${app.runs.length}`, 'succeeded', { startedAfter });
					};
					for (const [poll, atOnce] of counts.entries()) {
						for (let i = 0; i < atOnce; i += 1) start();
						if (jumps.includes(poll)) start(DAY_S);
						await poller.poll();
					}
					const before = counts[0]! + (jumps.includes(0) ? 1 : 0);
					const expected = app.runs.slice(before).map(({ id }) => id);
					expect(poller.given.toSorted()).toEqual(expected.toSorted());
				},
			),
		);
	});

	it('the newest ones, to build a workflow with', async () => {
		const app = new App();
		for (const [id, status] of [
			['a', 'failed'],
			['b', 'succeeded'],
			['c', 'running'],
		] as const)
			app.start(id, status);
		const found = await newestRuns(app.client());
		expect(found.map((entry) => recordOf(entry.workflow_run).id)).toEqual(['b', 'a']);
	});
});
