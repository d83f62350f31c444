/**
 * `npm test`: the checks that need no real parts. With arguments for jest, only those tests: `npm test -- test/lib/chat`,
 * `npm test -- -t name`.
 */
import { join } from 'node:path';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies, toolEnvironment } from './lib/dependencies.mjs';
import { createLog, formatSize } from './lib/log.mjs';
import { lint, SOURCES } from './lib/lint.mjs';
import { main } from './lib/script-main.mjs';
import { BUNDLE, checkPackage } from './lib/package-check.mjs';
import { root } from './lib/paths.mjs';
import { documents } from './lib/pictures.mjs';
import { run } from './lib/processes.mjs';
import { runChecks, runJest } from './lib/test-summary.mjs';

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

/** Not `.bin/tsc`, which can also be that of TypeScript 5. */
const TYPESCRIPT = 'typescript-7/bin/tsc';

/** @param {string} project @returns {string[]} arguments of TypeScript */
const checkTypes = (project) => {
	const known = join(cache, `${project.replace('/', '-')}.tsbuildinfo`);
	return ['--noEmit', '-p', project, '--incremental', '--tsBuildInfoFile', known];
};

const tests = {
	name: 'unit and contract tests',
	check: async () => await runJest(log, jestArgs),
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
	if (jestArgs.length > 0) return await runChecks(log, [tests]);
	return await runChecks(log, [
		[
			check('formatting', '.bin/oxfmt', ['--check', '.']),
			check('types', TYPESCRIPT, checkTypes('tsconfig.json'), checkTypes('scripts/tsconfig.json')),
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
