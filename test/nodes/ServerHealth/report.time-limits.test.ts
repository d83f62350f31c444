/** A report has no option for its time: it waits ten minutes for the first token of a model that is loading, and no longer. */
import { startGoodServer } from '../../faults/good-server';
import type { GoodServer } from '../../faults/good-server';
import { createCredential, waitUntilQuiet } from '../../faults/harness';
import { listOperations } from '../../faults/operations';
import { useClock } from '../../guarantees/support/fake-clock';

const MINUTE = 60_000;
const clock = useClock();
let server: GoodServer;
beforeEach(async () => {
	server = await startGoodServer(({ line }) =>
		/chat\/completions$/.test(line) ? 'hold' : undefined,
	);
});
afterEach(async () => await server.close());

test('a silent model ends the measurement after ten minutes, and the report says so', async () => {
	const operation = (await listOperations()).find(
		({ name }) => name === 'Server Health modelServer report',
	)!;
	const credential = createCredential(operation, {
		url: server.at('report'),
		key: 'key-7f3a91c4d2',
	});
	let isEnded = false;
	const running = operation.run({ credentials: [credential] }).finally(() => (isEnded = true));
	for (let minutes = 0; minutes < 9; minutes++) {
		await waitUntilQuiet([server]);
		await clock.pass(MINUTE);
	}
	expect(isEnded).toBe(false);
	const result = await clock.passUntil(running);
	expect(JSON.stringify(result.items)).toContain('10 minutes');
});
