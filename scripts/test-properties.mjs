/**
 * `npm run test:properties [-- times]`: the property tests with new random examples, `times` as many as in `npm test`
 * (default 10). `PROPERTY_SEED=n` repeats a run.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { filesBelow, root } from './lib/system/paths.mjs';
import { runChecks, runJest } from './lib/checks/test-summary.mjs';

const log = createLog();

/** Property tests, and suites that take all of their rows only here. */
const IS_PROPERTY_TEST = /fc\.assert\(|\b(?:isNightly|takeSome)\b/;
const ELSEWHERE = /\/test\/(e2e|full|real-servers)\//;

await main(async () => {
	const times = process.argv[2] ?? '10';
	const seed = process.env.PROPERTY_SEED ?? String(randomInt(2 ** 31));
	await ensureDependencies(log);
	const files = filesBelow(join(root, 'test'))
		.filter((file) => file.endsWith('.test.ts') && !ELSEWHERE.test(file))
		.filter((file) => IS_PROPERTY_TEST.test(readFileSync(file, 'utf8')));
	log.line(`Again with PROPERTY_SEED=${seed} npm run test:properties -- ${times}`);
	const env = { PROPERTY_SEED: seed, PROPERTY_RUNS: times };
	const check = async () => await runJest(log, files, env);
	return await runChecks(log, [{ name: 'property tests', check }]);
});
