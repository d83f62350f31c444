import fc from 'fast-check';

import type { DifyClient } from '../../../../lib/dify/client';
import { newFeedback, type FeedbackMemory } from '../../../../lib/dify/app/new-feedback';

interface Given {
	id: string;
	created_at: string;
	updated_at: string;
	rating: string;
}

const LIMIT = 101;

/** The feedback of an app, as Dify lists it: newest first, times in UTC without a zone. */
class App {
	readonly list: Given[] = [];
	requests = 0;
	failsAt = Infinity;
	clock = Date.UTC(2026, 0, 1);

	pass(ms: number): void {
		this.clock += ms;
	}

	give(id: string, { createdBefore = 0 } = {}): void {
		const at = new Date(this.clock - createdBefore).toISOString().replace('Z', '');
		this.list.push({ id, created_at: at, updated_at: at, rating: 'like' });
		this.list.sort((one, other) => one.created_at.localeCompare(other.created_at));
	}

	change(id: string): void {
		const one = this.list.find((given) => given.id === id);
		if (one !== undefined) one.updated_at = new Date(this.clock).toISOString().replace('Z', '');
	}

	client(): DifyClient {
		return {
			get: async (_path: string, { page, limit }: { page: number; limit: number }) => {
				this.requests += 1;
				if (this.requests >= this.failsAt) throw new Error('502');
				return { data: this.list.toReversed().slice((page - 1) * limit, page * limit) };
			},
		} as unknown as DifyClient;
	}
}

/** As n8n does: what was seen is stored only when the poll did not fail, and comes back out of JSON. */
class Poller {
	memory: FeedbackMemory | undefined;
	readonly given: string[] = [];

	constructor(readonly app: App) {}

	async poll(): Promise<string[]> {
		const { memory, found } = await newFeedback(this.app.client(), this.memory);
		this.memory = JSON.parse(JSON.stringify(memory)) as FeedbackMemory;
		const ids = found.map(
			({ feedback, isNew }) => `${isNew ? 'new' : 'changed'} ${String(feedback.id)}`,
		);
		this.given.push(...ids);
		return ids;
	}
}

describe('new feedback', () => {
	it('leaves alone what was there before', async () => {
		const app = new App();
		for (let i = 0; i < 500; i += 1) {
			app.pass(1000);
			app.give(`old-${i}`);
		}
		const poller = new Poller(app);
		expect(await poller.poll()).toEqual([]);
		expect(app.requests).toBe(1);
		app.pass(5000);
		app.give('a');
		app.pass(1000);
		app.give('b');
		expect(await poller.poll()).toEqual(['new a', 'new b']);
		expect(await poller.poll()).toEqual([]);
	});

	it('leaves alone what was there before, also where all of it is of one moment', async () => {
		const app = new App();
		for (let i = 0; i < 500; i += 1) app.give(`old-${i}`);
		const poller = new Poller(app);
		await poller.poll();
		app.give('a');
		expect(await poller.poll()).toEqual(['new a']);
	});

	it('gives everything of an app that had none', async () => {
		const poller = new Poller(new App());
		await poller.poll();
		for (let i = 0; i < 250; i += 1) poller.app.give(`n-${i}`);
		expect(await poller.poll()).toHaveLength(250);
		expect(await poller.poll()).toEqual([]);
	});

	it('tells a rating that was changed from a new one', async () => {
		const poller = new Poller(new App());
		poller.app.give('a');
		await poller.poll();
		poller.app.pass(60_000);
		poller.app.change('a');
		expect(await poller.poll()).toEqual(['changed a']);
		expect(await poller.poll()).toEqual([]);
	});

	it('gives a rating that another worker of Dify wrote a little later than newer ones', async () => {
		const poller = new Poller(new App());
		poller.app.give('first');
		await poller.poll();
		poller.app.pass(10_000);
		poller.app.give('newer');
		await poller.poll();
		poller.app.give('late', { createdBefore: 3000 });
		expect(await poller.poll()).toEqual(['new late']);
	});

	it('ends at a proxy that gives the same page for ever', async () => {
		const page = Array.from({ length: LIMIT }, (_, i) => ({
			id: `${i}`,
			created_at: '2026-01-01T00:00:00',
		}));
		let requests = 0;
		const client = {
			get: async () => {
				requests += 1;
				return { data: page };
			},
		} as unknown as DifyClient;
		expect((await newFeedback(client, { newest: null, known: {} })).found).toHaveLength(LIMIT);
		expect(requests).toBe(2);
	});

	it('gives everything once, in order, whatever comes between, and whichever poll fails', async () => {
		const step = fc.oneof(
			fc.record({
				does: fc.constant('give' as const),
				count: fc.integer({ min: 1, max: 130 }),
				ms: fc.nat(90_000),
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
				let count = 0;
				for (const one of steps) {
					if (one.does === 'give') {
						for (let i = 0; i < one.count; i += 1) {
							app.pass(one.ms / one.count);
							app.give(`${(count += 1)}`);
						}
						continue;
					}
					app.failsAt = one.failsAfter === undefined ? Infinity : app.requests + 1 + one.failsAfter;
					await poller.poll().catch(() => undefined);
				}
				app.failsAt = Infinity;
				await poller.poll();
				expect(poller.given).toEqual(Array.from({ length: count }, (_, i) => `new ${i + 1}`));
			}),
		);
	});
});
