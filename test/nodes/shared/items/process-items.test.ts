import * as fc from 'fast-check';
import { NodeOperationError } from 'n8n-workflow';
import type { IExecuteFunctions } from 'n8n-workflow';
import type { ItemError } from '../../../../nodes/shared/items/item-error';
import { processItems } from '../../../../nodes/shared/items/process-items';
import { CancelPoller } from '../../../../lib/n8n/cancel-poller';
import { executeContext } from '../../../support/n8n/execute-context';
import type { ExecuteSetup } from '../../../support/n8n/execute-context';
import { setImmediate } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

const contextOf = (count: number, more: Partial<ExecuteSetup> = {}): IExecuteFunctions =>
	executeContext({
		type: 'test',
		credentials: {},
		items: Array.from({ length: count }, () => ({ json: {} })),
		...more,
	}).context;

const failures = (context: IExecuteFunctions) => ({
	toNodeError: ({ reason }: ItemError) =>
		new NodeOperationError(context.getNode(), reason as Error),
});

/** One turn of the event loop. */
const turn = async () => await new Promise<void>((done) => void setImmediate(done));

it('items with the same key: never run at the same time and keep their order, for any keys', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.constantFrom('a', 'b', 'c', 'd', undefined), { minLength: 1, maxLength: 700 }),
			fc.integer({ min: 1, max: 8 }),
			async (keys, concurrency) => {
				const context = contextOf(keys.length);
				const running = new Set<string>();
				const order = new Map<string, number[]>();
				let atOnceSeen = 0;
				let count = 0;
				const results = await processItems(
					context,
					async (itemIndex) => {
						const key = keys[itemIndex];
						count++;
						atOnceSeen = Math.max(atOnceSeen, count);
						if (key !== undefined) {
							expect(running.has(key)).toBe(false);
							running.add(key);
							order.set(key, [...(order.get(key) ?? []), itemIndex]);
						}
						await turn();
						if (key !== undefined) running.delete(key);
						count--;
						return itemIndex;
					},
					{ ...failures(context), concurrency, getSequenceKey: (itemIndex) => keys[itemIndex] },
				);
				expect(results).toEqual(keys.map((_, at) => at));
				expect(atOnceSeen).toBeLessThanOrEqual(concurrency);
				for (const items of order.values())
					expect(items).toEqual([...items].sort((one, other) => one - other));
			},
		),
		{ numRuns: 30 },
	);
});

it('items that end in the same turn of the event loop: the next ones start together, after the last has ended', async () => {
	const events: string[] = [];
	const options = { ...failures(contextOf(6)), concurrency: 3 };
	await processItems(
		contextOf(6),
		async (itemIndex) => {
			events.push(`start ${itemIndex}`);
			// Each continues in a callback of its own.
			await turn();
			events.push(`end ${itemIndex}`);
		},
		options,
	);
	expect(events).toEqual([
		...['start 0', 'start 1', 'start 2', 'end 0', 'end 1', 'end 2'],
		...['start 3', 'start 4', 'start 5', 'end 3', 'end 4', 'end 5'],
	]);
});

it('Stop before an item has started: the item reports it, and no other starts', async () => {
	const stop = new AbortController();
	const context = contextOf(9, { signal: stop.signal });
	const started: number[] = [];
	const running = processItems(
		context,
		async (itemIndex, signal) => {
			started.push(itemIndex);
			signal.throwIfAborted();
		},
		failures(context),
	);
	stop.abort(new Error('stopped'));
	await expect(running).rejects.toThrow('stopped');
	expect(started).toEqual([0]);
});

it.each([
	{ isStopped: false, shown: ['0: broken', '1: broken'] },
	{ isStopped: true, shown: [] },
])(
	'where the node goes on, the chat gets the error of each item, but none after Stop: $isStopped',
	async ({ isStopped, shown }) => {
		const stop = new AbortController();
		const context = contextOf(2, { signal: stop.signal, continueOnFail: true });
		const told: string[] = [];
		const results = await processItems(
			context,
			async () => {
				if (isStopped) stop.abort();
				await turn();
				throw new Error('broken');
			},
			{
				...failures(context),
				concurrency: 2,
				onFailure: async (itemIndex, text) =>
					void told.push(await Promise.resolve(`${itemIndex}: ${text}`)),
			},
		);
		expect(results).toHaveLength(2);
		expect(told).toEqual(shown);
	},
);

it('items that need no time: timers and Stop are handled between them', async () => {
	const stop = new AbortController();
	const started: number[] = [];
	setImmediate(() => void stop.abort());
	await processItems(
		contextOf(100, { signal: stop.signal }),
		async (itemIndex) => void started.push(itemIndex),
		failures(contextOf(100)),
	);
	expect(started.length).toBeLessThan(3);
});

describe('an error', () => {
	it('of one item: an item whose turn has come after that does not start', async () => {
		const started: number[] = [];
		const context = contextOf(4);
		await expect(
			processItems(
				context,
				async (itemIndex) => {
					started.push(itemIndex);
					await turn();
					if (itemIndex === 1) throw new Error('no');
				},
				{ ...failures(context), concurrency: 2 },
			),
		).rejects.toThrow('no');
		expect(started).toEqual([0, 1]);
	});

	it('ends the others, also those that wait for a key', async () => {
		const context = contextOf(1_000);
		const started: number[] = [];
		await expect(
			processItems(
				context,
				async (itemIndex, signal) => {
					started.push(itemIndex);
					if (itemIndex === 0) {
						await delay(5);
						throw new Error('no');
					}
					while (!signal.aborted) await turn();
					return '';
				},
				{
					...failures(context),
					concurrency: 4,
					getSequenceKey: (itemIndex) => (itemIndex < 900 ? 'anna' : undefined),
				},
			),
		).rejects.toThrow('no');
		expect(started.filter((itemIndex) => itemIndex < 900)).toEqual([0]);
	});

	it('in its message also ends the polling for a stop', async () => {
		const isOver = jest.fn();
		const begin = jest.spyOn(CancelPoller.prototype, 'begin').mockReturnValue(isOver);
		const context = contextOf(1, { continueOnFail: true });
		const onFailure = () => {
			throw new Error('worse');
		};
		const work = async () => await Promise.reject(new Error('no'));
		await expect(processItems(context, work, { ...failures(context), onFailure })).rejects.toThrow(
			'worse',
		);
		expect(isOver).toHaveBeenCalledTimes(1);
		begin.mockRestore();
	});

	it('of the key fails only its item', async () => {
		const context = contextOf(3, { continueOnFail: true });
		const getSequenceKey = (itemIndex: number) => {
			if (itemIndex === 0) throw new Error('no such field');
			return 'anna';
		};
		const results = await processItems(
			context,
			async (itemIndex) => await Promise.resolve(String(itemIndex)),
			{
				...failures(context),
				concurrency: 2,
				getSequenceKey,
			},
		);
		expect(results).toEqual(['0', '1', '2']);
	});
});
