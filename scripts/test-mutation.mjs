/**
 * `npm run test:mutation [-- name …]`: how many bugs planted in a file its tests notice, for the most critical
 * files. Exit status 1 if it is fewer than 80 % in any file, or if a run cannot start. Each run prints its survivors.
 *
 * `-- --all [--shard=1/20]`: the bugs that no test notices in all files of `lib`, or in one of so many parts of them, as a
 * list by file in `reports/survivors.md`. Exit status 1 only if a run cannot start.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearestTests } from './lib/checks/nearest-tests.mjs';
import { describeSurvivors, readScore, takeShard } from './lib/checks/planted-bugs.mjs';
import { findRelatedTests } from './lib/checks/test-summary.mjs';
import { ensureDependencies, toolEnvironment } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { filesBelow, readJsonIfThere, root } from './lib/system/paths.mjs';
import { run } from './lib/system/processes.mjs';
import { main } from './lib/system/script-main.mjs';

/** @typedef {import('./lib/checks/planted-bugs.mjs').MutatedFile} MutatedFile */

const CONFIG = 'test/mutation/stryker.config.mjs';
const REPORTS = join(root, 'reports/mutation');
const SURVIVORS = join(root, 'reports/survivors.md');

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

const log = createLog();

/**
 * @param {string} file
 * @returns {Promise<MutatedFile | undefined>} nothing if the file has no code in which a bug can be planted
 */
const plantBugs = async (file) => {
	rmSync(REPORTS, { recursive: true, force: true });
	// All of them are loaded for each bug, so they are only the nearest.
	const tests = nearestTests(file, await findRelatedTests([file]));
	const env = { ...toolEnvironment(), MUTATION_TESTS: JSON.stringify(tests) };
	const tool = join(root, 'node_modules/.bin/stryker');
	await run(tool, ['run', CONFIG, '--mutate', file], { cwd: root, env, onLine: log.line });
	/** @type {{ files: Record<string, MutatedFile> } | undefined} */
	const report = readJsonIfThere(join(REPORTS, 'mutation.json'));
	return report?.files[file];
};

/** @param {string[]} names parts of names of files @returns {Promise<number>} exit status */
const checkCriticalFiles = async (names) => {
	const chosen = CRITICAL_FILES.filter(
		(file) => names.length === 0 || names.some((name) => file.includes(name)),
	);
	if (chosen.length === 0)
		throw new Error(`No such file: ${names.join(', ')}. One of: ${CRITICAL_FILES.join(', ')}`);
	let isWeak = false;
	for (const file of chosen) {
		const { noticed, total } = readScore((await plantBugs(file))?.mutants ?? []);
		const percent = (100 * noticed) / total;
		isWeak ||= !(percent >= MIN_PERCENT);
		log.line(`${file}: ${noticed} of ${total} noticed, ${percent.toFixed(1)} %`);
	}
	return isWeak ? 1 : 0;
};

/** @param {string} shard such as `1/20` @returns {Promise<number>} exit status */
const listSurvivors = async (shard) => {
	const files = takeShard(
		filesBelow(join(root, 'lib'))
			.map((file) => file.slice(root.length + 1))
			.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
		shard,
	);
	const sections = [];
	let failures = 0;
	for (const file of files) {
		try {
			const mutated = await plantBugs(file);
			if (mutated) sections.push(describeSurvivors(file, mutated));
		} catch (error) {
			failures += 1;
			const [reason] = String(error).split('\n');
			sections.push(`## ${file}\n\nCould not be checked: ${reason}\n`);
		}
		// After each file, so that a run that is ended early leaves a list.
		mkdirSync(join(SURVIVORS, '..'), { recursive: true });
		writeFileSync(SURVIVORS, sections.filter(Boolean).join('\n'));
	}
	log.line(`${files.length} files, ${failures} could not be checked: ${SURVIVORS}`);
	return failures > 0 ? 1 : 0;
};

await main(async () => {
	const { values, positionals } = parseArgs({
		options: { all: { type: 'boolean' }, shard: { type: 'string', default: '1/1' } },
		allowPositionals: true,
	});
	await ensureDependencies(log);
	return values.all ? await listSurvivors(values.shard) : await checkCriticalFiles(positionals);
});
