/**
 * n8n evaluates the expressions of an item one after another, which is half of the cost of a small request. So each field is
 * evaluated once for an item, and all of them before its first request: nothing that is wrong is found after something was
 * sent.
 */
import { startGoodServer } from '../faults/good-server';
import type { GoodServer } from '../faults/good-server';
import { createCredential } from '../faults/harness';
import { listOperations } from '../faults/operations';
import type { Operation, OperationRun } from '../faults/operations';

let server: GoodServer;
let actions: Operation[];
beforeAll(async () => {
	server = await startGoodServer();
	const all = await listOperations();
	actions = all.filter(({ type }) => type === 'action');
});
afterAll(async () => await server.close());

/** What is wrong with the reads of an operation. */
async function findMistakes(
	operation: Operation,
	address: string,
	setup: Partial<OperationRun> = {},
): Promise<string[]> {
	const reads: string[] = [];
	const mistakes: string[] = [];
	await operation.run({
		...setup,
		// This server has no models to load.
		continueOnFail: true,
		credentials: [createCredential(operation, { url: server.at(address), key: 'key' })],
		onRead: (name) => {
			const requests = server.to(address).map(({ line }) => line);
			if (reads.includes(name)) mistakes.push(`${operation.name}: ${name} again`);
			if (requests.length > 0)
				mistakes.push(`${operation.name}: ${name} after ${requests.join(', ')}`);
			reads.push(name);
		},
	});
	expect(reads).not.toEqual([]);
	return mistakes;
}

test('each field of an item is evaluated once, before its first request', async () => {
	expect(actions.length).toBeGreaterThan(20);
	const mistakes: string[] = [];
	for (const [at, operation] of actions.entries())
		mistakes.push(...(await findMistakes(operation, `a${at}`)));
	expect(mistakes).toEqual([]);
});

test('and before a model is looked up', async () => {
	const model = { __rl: true, mode: 'list', value: '' };
	const mistakes: string[] = [];
	for (const [at, operation] of actions.entries())
		if (operation.fields.some(({ name, required }) => name === 'model' && required !== true))
			mistakes.push(...(await findMistakes(operation, `m${at}`, { parameters: { model } })));
	expect(mistakes).toEqual([]);
});
