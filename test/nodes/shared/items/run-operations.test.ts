/** How items reach the operations of a node, and whose items the results are. */
import { createOperationTable } from '../../../../nodes/shared/items/operation-table';
import type { Operation } from '../../../../nodes/shared/items/operation';
import { runOperations } from '../../../../nodes/shared/items/run-operations';
import { executeContext } from '../../../support/n8n/execute-context';

const define = (value: string, more: Partial<Operation>): Operation => ({
	name: value,
	value,
	fields: [],
	execute: async ({ itemIndexes }) => await Promise.resolve([{ json: { value, itemIndexes } }]),
	...more,
});

/** Runs the named operation of each item. */
async function runAll(operations: Operation[], names: string[], outputs = 1) {
	const { context } = executeContext({
		type: 'test',
		credentials: {},
		items: names.map(() => ({ json: {} })),
		perItem: names.map((operation) => ({ operation })),
		continueOnFail: true,
	});
	const table = createOperationTable(operations);
	const results = await runOperations(context, {
		table,
		getAccess: async () => await Promise.resolve({}),
		outputs,
	});
	return results.map((items) => items.map(({ json, pairedItem }) => ({ ...json, pairedItem })));
}

const EACH = define('each', {});
const ALL = define('all', { runsOnceForAllItems: true });

test('an operation for all items runs once, and its result belongs to all of them', async () => {
	expect(await runAll([EACH, ALL], ['all', 'each', 'all', 'each'])).toEqual([
		[
			{ value: 'all', itemIndexes: [0, 2], pairedItem: [{ item: 0 }, { item: 2 }] },
			{ value: 'each', itemIndexes: [1], pairedItem: { item: 1 } },
			{ value: 'each', itemIndexes: [3], pairedItem: { item: 3 } },
		],
	]);
	expect(await runAll([ALL], ['all'])).toMatchObject([[{ pairedItem: { item: 0 } }]]);
});

test('a result may name its own items', async () => {
	const execute = async () =>
		await Promise.resolve([
			{ json: {}, from: 1 },
			{ json: {}, from: [0, 2] },
		]);
	const [items] = await runAll([{ ...ALL, execute }], ['all', 'all', 'all']);
	expect(items!.map(({ pairedItem }) => pairedItem)).toEqual([
		{ item: 1 },
		[{ item: 0 }, { item: 2 }],
	]);
});

test('results go to their output, and errors to the last one', async () => {
	const execute: Operation['execute'] = async ({ itemIndex }) => {
		if (itemIndex === 2) throw new Error('broken');
		return await Promise.resolve([{ json: { itemIndex }, output: itemIndex * 5 }]);
	};
	const names = ['each', 'each', 'each'];
	expect(await runAll([{ ...EACH, execute }], names, 2)).toMatchObject([
		[{ itemIndex: 0 }],
		[{ itemIndex: 1 }, { error: { message: 'broken' }, pairedItem: { item: 2 } }],
	]);
});

test('an unknown operation of an item fails that item alone', async () => {
	expect(await runAll([EACH, ALL], ['all', 'invented', 'all'])).toMatchObject([
		[
			{ itemIndexes: [0, 2] },
			{ error: { message: 'This node has no operation "invented"' }, pairedItem: { item: 1 } },
		],
	]);
});
