/** With Simplify off, the item of every operation that returns a result of a model says which model it was, and how long it took. */
import { startGoodServer } from '../faults/good-server';
import { createCredential, passUntilEnded } from '../faults/harness';
import { listOperations } from '../faults/operations';
import { useClock } from './support/fake-clock';

const clock = useClock();

/** It manages models, and no model responds. */
const MANAGES = /^Local Llama model /;

test('every result has its model and its seconds', async () => {
	const operations = (await listOperations()).filter(
		({ name }) => name.startsWith('Local Llama ') && !MANAGES.test(name),
	);
	const server = await startGoodServer();
	const metadata: Record<string, unknown> = {};
	const work = operations.map(async (operation) => {
		const credential = createCredential(operation, { url: server.at(operation.name), key: 'key' });
		const { items = [] } = await operation.run({
			credentials: [credential],
			options: { simplify: false },
		});
		metadata[operation.name] = items.flat().map(({ json }) => json.metadata);
	});
	const outcomes = new Map(operations.map(({ name }, at) => [name, work[at]!]));
	expect(await passUntilEnded(outcomes, { clock, servers: [server] })).toEqual([]);
	await server.close();
	const answered = {
		model: expect.stringMatching(/./) as string,
		seconds: expect.any(Number) as number,
	};
	expect(metadata).toEqual(
		Object.fromEntries(
			operations.map(({ name }) => [name, [expect.objectContaining(answered) as object]]),
		),
	);
	expect(operations).toHaveLength(12);
});
