import {
	type INodeExecutionData,
	type IPollFunctions,
	type IRun,
	ManualExecutionCancelledError,
	SystemShutdownExecutionCancelledError,
	TimeoutExecutionCancelledError,
} from 'n8n-workflow';

import { deliveries } from '../../../nodes/shared/deliveries';

/** A context whose workflow ends when the test says so. */
function polling(emit?: () => void) {
	const ended = Promise.withResolvers<IRun | undefined>();
	const given: Array<{
		data: INodeExecutionData[][];
		done: PromiseWithResolvers<IRun | undefined>;
	}> = [];
	const context = {
		helpers: { createDeferredPromise: () => ended },
		__emit: (
			data: INodeExecutionData[][],
			_response: unknown,
			done: PromiseWithResolvers<IRun | undefined>,
		) => {
			emit?.();
			given.push({ data, done });
		},
	} as unknown as IPollFunctions;
	return { context, given, ended };
}

const items = [{ json: { a: 1 } }];

describe('an execution that a polling node starts', () => {
	it('is unknown, then runs, then has ended', async () => {
		const { context, given, ended } = polling();
		expect(deliveries.progressOf('one')).toBeUndefined();
		deliveries.give(context, ['one', 'two'], items);
		expect([deliveries.progressOf('one'), deliveries.progressOf('two')]).toEqual([
			'running',
			'running',
		]);
		expect(given[0]!.data).toEqual([items]);
		ended.resolve({ status: 'success' } as IRun);
		await ended.promise;
		expect([deliveries.progressOf('one'), deliveries.progressOf('two')]).toEqual([
			'succeeded',
			'succeeded',
		]);
	});

	it.each([
		['success', 'succeeded'],
		['waiting', 'succeeded'],
		['canceled', 'succeeded'],
		['error', 'failed'],
		['crashed', 'failed'],
	] as const)('a workflow that ended as %s: %s', async (status, progress) => {
		const { context, ended } = polling();
		deliveries.give(context, [status], items);
		ended.resolve({ status } as IRun);
		await ended.promise;
		expect(deliveries.progressOf(status)).toBe(progress);
	});

	// n8n rejects the promise where an execution is stopped.
	it.each([
		[new ManualExecutionCancelledError('7'), 'succeeded'],
		[new TimeoutExecutionCancelledError('7'), 'failed'],
		[new SystemShutdownExecutionCancelledError('7'), 'failed'],
		[undefined, 'failed'],
	] as const)('a workflow that was stopped: %s: %s', async (error, progress) => {
		const { context, ended } = polling();
		deliveries.give(context, ['stopped'], items);
		ended.reject(error);
		await ended.promise.catch(() => undefined);
		expect(deliveries.progressOf('stopped')).toBe(progress);
	});

	it('has failed where the workflow could not be started or is lost', async () => {
		const { context, ended } = polling();
		deliveries.give(context, ['lost'], items);
		ended.reject(new Error('gone'));
		await ended.promise.catch(() => undefined);
		expect(deliveries.progressOf('lost')).toBe('failed');
		const refusing = polling(() => {
			throw new Error('n8n is shutting down');
		});
		expect(() => deliveries.give(refusing.context, ['refused'], items)).toThrow(
			'n8n is shutting down',
		);
		expect(deliveries.progressOf('refused')).toBeUndefined();
	});

	it('is forgotten after a thousand others', () => {
		deliveries.give(polling().context, ['first'], items);
		deliveries.give(
			polling().context,
			Array.from({ length: 1000 }, (_, index) => `other-${index}`),
			items,
		);
		expect([deliveries.progressOf('first'), deliveries.progressOf('other-999')]).toEqual([
			undefined,
			'running',
		]);
	});
});
