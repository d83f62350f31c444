/**
 * `npm run test:full`: tests that are too long for the gate. In this order: property tests with new examples, the suites in
 * `test/full` with the compiled llama-server, and the gate again with that server and every operation of every node, with
 * the defaults of n8n 3, and on the oldest n8n. With arguments for jest, only suites in `test/full`:
 * `npm run test:full -- server-health`.
 */
import { join } from 'node:path';
import { node } from './lib/system/dependencies.mjs';
import { ensureGateParts, runSuites, withWorkFolder } from './lib/checks/e2e.mjs';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { root } from './lib/system/paths.mjs';
import { run } from './lib/system/processes.mjs';
import { emptyTally, runChecks } from './lib/checks/test-summary.mjs';

process.env.LOCAL_LLAMA_SERVER ??= 'compiled';

const log = createLog();

const realParts = {
	name: 'suites with real parts',
	check: async () => {
		let tally = emptyTally();
		await withWorkFolder('e2e', async (work) => {
			const parts = { ...(await ensureGateParts(log)), work };
			tally = await runSuites(log, 'test/full/jest.config.cjs', parts);
			return tally.failures.length;
		});
		return tally;
	},
};

/**
 * Runs another command of package.json, which prints what it counts.
 *
 * @param {string} name
 * @param {string} script
 * @param {Record<string, string>} [more]
 */
const command = (name, script, more = {}) => ({
	name,
	check: async () => {
		const env = { ...process.env, ...more };
		await run(node, [join(root, 'scripts', script)], { env, onLine: log.line });
	},
});

await main(async () => {
	if (process.argv.length > 2) return await runChecks(log, [realParts]);
	const checks = [
		command('property tests with new examples', 'test-properties.mjs'),
		realParts,
		command('the gate with the compiled llama-server, and every operation', 'test-e2e.mjs', {
			EVERY_OPERATION: '1',
		}),
		command('the gate with the defaults of n8n 3', 'test-e2e.mjs', { N8N_DEFAULTS: '3' }),
		command('the gate on the oldest n8n', 'test-e2e.mjs', { LOCAL_LLAMA_N8N: '2.20' }),
	];
	return await runChecks(log, checks, undefined, { goesOn: true });
});
