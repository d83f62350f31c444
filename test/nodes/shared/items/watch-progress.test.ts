/** What the console of the browser says while a node processes its items. */
import type { IExecuteFunctions } from 'n8n-workflow';

import { createOperationTable } from '../../../../nodes/shared/items/operation-table';
import type { Operation } from '../../../../nodes/shared/items/operation';
import { watchProgress } from '../../../../nodes/shared/items/watch-progress';
import { runOperations } from '../../../../nodes/shared/items/run-operations';
import { executeContext } from '../../../support/n8n/execute-context';

function countAll(total: number, failed: readonly number[] = []): string[] {
	const lines: string[] = [];
	const context = { sendMessageToUI: (line: string) => lines.push(line) };
	const countFinished = watchProgress(context as unknown as IExecuteFunctions, total);
	for (let at = 0; at < total; at++) countFinished({ items: 1, hasFailed: failed.includes(at) });
	return lines;
}

test('each item has a line, up to a hundred lines', () => {
	expect(countAll(3)).toEqual([
		'1 of 3 items finished',
		'2 of 3 items finished',
		'3 of 3 items finished',
	]);
	expect(countAll(99)).toHaveLength(99);
	expect(countAll(100)).toHaveLength(100);
	expect(countAll(101)).toHaveLength(100);
	const lines = countAll(20_000);
	expect(lines).toHaveLength(100);
	expect([lines[0], lines.at(-1)]).toEqual([
		'200 of 20000 items finished',
		'20000 of 20000 items finished',
	]);
});

test('failed items are counted, and a single item has no line', () => {
	expect(countAll(3, [1])).toEqual([
		'1 of 3 items finished',
		'2 of 3 items finished, 1 of them failed',
		'3 of 3 items finished, 1 of them failed',
	]);
	expect(countAll(1)).toEqual([]);
	expect(countAll(0)).toEqual([]);
});

test('an n8n that takes no message fails no item', () => {
	const context = {
		sendMessageToUI: () => {
			throw new Error('closed');
		},
	};
	const countFinished = watchProgress(context as unknown as IExecuteFunctions, 2);
	expect(() => countFinished({ items: 1, hasFailed: false })).not.toThrow();
});

const define = (value: string, more: Partial<Operation>): Operation => ({
	name: value,
	value,
	fields: [],
	execute: async () => await Promise.resolve([{ json: {} }]),
	...more,
});

async function play(operation: Operation, items: number): Promise<string[]> {
	const lines: string[] = [];
	const { context } = executeContext({
		type: 'test',
		credentials: {},
		items: Array.from({ length: items }, () => ({ json: {} })),
		parameters: { operation: operation.value },
		continueOnFail: true,
	});
	Object.assign(context, { sendMessageToUI: (line: string) => lines.push(line) });
	await runOperations(context, {
		table: createOperationTable([operation]),
		getAccess: async () => await Promise.resolve({}),
	});
	return lines;
}

test('a node reports its items as they end', async () => {
	const execute = async ({ itemIndex }: { itemIndex: number }) => {
		if (itemIndex === 1) throw new Error('no');
		return await Promise.resolve([{ json: {} }]);
	};
	expect(await play(define('each', { execute }), 3)).toEqual([
		'1 of 3 items finished',
		'2 of 3 items finished, 1 of them failed',
		'3 of 3 items finished, 1 of them failed',
	]);
});

test('items that are processed together end together', async () => {
	expect((await play(define('all', { runsOnceForAllItems: true }), 300)).at(-1)).toBe(
		'300 of 300 items finished',
	);
	expect(await play(define('all', { runsOnceForAllItems: true }), 300)).toHaveLength(1);
});
