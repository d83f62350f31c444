/**
 * `npm test`: the checks that need no real parts. With arguments for jest, only those tests: `npm test -- test/lib/chat`,
 * `npm test -- -t name`. With a source, the tests that use it, the nearest first: `npm test -- lib/http/queue.ts`.
 */
import { join } from 'node:path';
import { ensureBuild } from './lib/package/build.mjs';
import { ensureDependencies, toolEnvironment } from './lib/system/dependencies.mjs';
import { createLog, formatSize } from './lib/system/log.mjs';
import { lint, SOURCES } from './lib/checks/lint.mjs';
import { groupTests, splitArguments } from './lib/checks/nearest-tests.mjs';
import { main } from './lib/system/script-main.mjs';
import { BUNDLE, checkPackage } from './lib/package/package-check.mjs';
import { root } from './lib/system/paths.mjs';
import { documents } from './lib/checks/pictures.mjs';
import { run } from './lib/system/processes.mjs';
import { findRelatedTests, runChecks, runJest } from './lib/checks/test-summary.mjs';

const log = createLog();
const jestArgs = process.argv.slice(2);
/** Results of TypeScript for unchanged files. */
const cache = join(root, 'node_modules', '.cache', 'checks');

/**
 * @param {string} name
 * @param {string} tool path in `node_modules`
 * @param {...string[]} runs the arguments of each
 */
const check = (name, tool, ...runs) => ({
	name,
	check: async () => {
		const file = join(root, 'node_modules', tool);
		for (const args of runs) await run(file, args, { cwd: root, env: toolEnvironment() });
	},
});

/** Files with documents. The repository's address is not asked for: a clone of a folder has none. */
const PAGES = [...documents(), 'bench', 'test'];
const LINKS = 'remark-validate-links=repository:false';

/** @param {string} project @returns {string[]} arguments of TypeScript */
const checkTypes = (project) => {
	const known = join(cache, `${project.replace('/', '-')}.tsbuildinfo`);
	return ['--noEmit', '-p', project, '--incremental', '--tsBuildInfoFile', known];
};

const tests = {
	name: 'unit and contract tests',
	check: async () => await runJest(log, jestArgs),
};

/**
 * @param {string[]} sources
 * @param {string[]} options for jest
 * @returns {Promise<import('./lib/checks/test-summary.mjs').Check[]>} the tests that use the sources, the nearest first
 */
const checksFor = async (sources, options) => {
	const groups = groupTests(sources, await findRelatedTests(sources));
	if (groups.length === 0) throw new Error(`No test uses ${sources.join(', ')}.`);
	return groups.map(({ name, files }) => ({
		name: `${name} (${files.length})`,
		check: async () => await runJest(log, ['--bail', ...options, '--runTestsByPath', ...files]),
	}));
};

const packed = {
	name: 'package',
	check: async (/** @type {import('./lib/types').Progress} */ progress) => {
		const { size, files } = await checkPackage();
		progress.note(`${formatSize(size)}, ${files.length} files; n8n's check, without ${BUNDLE}`);
	},
};

await main(async () => {
	await ensureDependencies(log);
	const { sources, options } = splitArguments(jestArgs);
	if (sources.length > 0) return await runChecks(log, await checksFor(sources, options));
	if (jestArgs.length > 0) return await runChecks(log, [tests]);
	return await runChecks(log, [
		[
			check('formatting', '.bin/oxfmt', ['--check', '.']),
			check('types', '.bin/tsc', checkTypes('tsconfig.json'), checkTypes('scripts/tsconfig.json')),
			check('imports', '.bin/depcruise', [...SOURCES, '--config', '.dependency-cruiser.cjs']),
			check('links', '.bin/remark', [...PAGES, '--quiet', '--frail', '--use', LINKS]),
			{
				name: 'build from scratch',
				check: async () => void (await ensureBuild(log, { force: true })),
			},
		],
		[tests, { name: 'lint', check: async () => await lint() }, packed],
	]);
});
