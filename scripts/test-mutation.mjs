/**
 * `npm run test:mutation [-- name …]`: how many bugs planted in a file its tests notice, for the most critical
 * files. Exit status 1 if it is fewer than 80 % in any file, or if a run cannot start. Each run prints its survivors.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies, toolEnvironment } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { nearestTests } from './lib/checks/nearest-tests.mjs';
import { main } from './lib/system/script-main.mjs';
import { readJson, root } from './lib/system/paths.mjs';
import { run } from './lib/system/processes.mjs';
import { findRelatedTests } from './lib/checks/test-summary.mjs';

const CONFIG = 'test/mutation/stryker.config.mjs';

const MIN_PERCENT = 80;

const CRITICAL_FILES = [
	'lib/chat/check/check-tool-calls.ts',
	'lib/chat/read/tool-call-accumulator.ts',
	'lib/dify/knowledge/sync.ts',
	'lib/dify/run/run-reader.ts',
	'lib/dify/run/run-record.ts',
	'lib/dify/run/start-run.ts',
	'lib/http/retry-policy.ts',
	'lib/text/calls/named-arguments.ts',
];

/** @typedef {{ files: Record<string, { mutants: Array<{ status: string }> }> }} Report */

/** @param {string} file @returns {{ noticed: number, total: number }} of the report of the last run */
const readScore = (file) => {
	const report = /** @type {Report} */ (readJson(join(root, 'reports/mutation/mutation.json')));
	const all = (report.files[file]?.mutants ?? []).map(({ status }) => status);
	const noticed = all.filter((status) => ['Killed', 'Timeout'].includes(status)).length;
	const unnoticed = all.filter((status) => ['Survived', 'NoCoverage'].includes(status)).length;
	return { noticed, total: noticed + unnoticed };
};

await main(async () => {
	const log = createLog();
	await ensureDependencies(log);
	const names = process.argv.slice(2);
	const chosen = CRITICAL_FILES.filter(
		(file) => names.length === 0 || names.some((name) => file.includes(name)),
	);
	if (chosen.length === 0)
		throw new Error(`No such file: ${names.join(', ')}. One of: ${CRITICAL_FILES.join(', ')}`);
	let isWeak = false;
	for (const file of chosen) {
		rmSync(join(root, 'reports/mutation'), { recursive: true, force: true });
		// All of them are loaded for each bug, so they are only the nearest.
		const tests = nearestTests(file, await findRelatedTests([file]));
		const env = { ...toolEnvironment(), MUTATION_TESTS: JSON.stringify(tests) };
		const tool = join(root, 'node_modules/.bin/stryker');
		await run(tool, ['run', CONFIG, '--mutate', file], { cwd: root, env, onLine: log.line });
		const { noticed, total } = readScore(file);
		const percent = (100 * noticed) / total;
		isWeak ||= !(percent >= MIN_PERCENT);
		log.line(`${file}: ${noticed} of ${total} noticed, ${percent.toFixed(1)} %`);
	}
	return isWeak ? 1 : 0;
});
