import * as fc from 'fast-check';
import { NodeOperationError } from 'n8n-workflow';
import type { IExecuteFunctions } from 'n8n-workflow';
import type { ItemError } from '../../../../nodes/shared/run/item-error';
import { processItems } from '../../../../nodes/shared/run/process-items';
import { CancelPoller } from '../../../../nodes/shared/cancel-poller';
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

describe('an error', () => {
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
