/**
 * `npm run test:properties [-- times]`: the property tests with new random examples, `times` as many as in `npm test`
 * (default 10), and all pairs where that takes a part of them. `PROPERTY_SEED=n` repeats a run.
 */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from './lib/deps.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { root } from './lib/paths.mjs';
import { runChecks, runJest } from './lib/tally.mjs';

const log = createLog();

/** Property tests, and suites that try a part of all pairs. */
const USES_EXAMPLES = /fc\.assert\(|testNodes\(/;

const suites = () =>
	readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.test.ts') && !/^(e2e|full|real-servers)\b/.test(file))
		.filter((file) => USES_EXAMPLES.test(readFileSync(join(root, 'test', file), 'utf8')))
		.map((file) => join('test', file));

await main(async () => {
	const times = process.argv[2] ?? '10';
	if (!/^[1-9]\d{0,4}$/.test(times))
		throw new Error(`How many times as many examples? "${times}" is no number from 1 to 99999.`);
	const seed = process.env.PROPERTY_SEED ?? String(randomInt(2 ** 31));
	await ensureDependencies(log);
	const files = suites();
	log.line(
		`${files.length} suites, ${times} times the examples; again with PROPERTY_SEED=${seed} npm run test:properties -- ${times}`,
	);
	return await runChecks(log, [
		{
			name: 'property tests',
			check: async () => await runJest(log, files, { PROPERTY_SEED: seed, PROPERTY_RUNS: times }),
		},
	]);
});
