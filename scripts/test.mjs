/**
 * `npm test`: the checks that need no real parts. With arguments for jest, only those tests: `npm test -- test/lib/chat`,
 * `npm test -- -t name`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild } from './lib/build.mjs';
import { withKeptFile } from './lib/cache.mjs';
import { ensureDependencies, toolEnvironment } from './lib/deps.mjs';
import { createLog, formatSize } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { npm } from './lib/npm.mjs';
import { packageProblems } from './lib/package-check.mjs';
import { readJson, root } from './lib/paths.mjs';
import { run } from './lib/proc.mjs';
import { BUNDLE, scanProblems } from './lib/scan.mjs';
import { ON_REQUEST } from './lib/suites.mjs';
import { runChecks, runJest } from './lib/tally.mjs';

const log = createLog();
const typed = process.argv.slice(2);
/** Cache of Prettier's and TypeScript's results for unchanged files. */
const cache = join(root, 'node_modules', '.cache', 'checks');

/**
 * @param {string} tool
 * @param {string[]} args
 */
const tool = async (tool, args) => {
	await run(join(root, 'node_modules', '.bin', tool), args, { cwd: root, env: toolEnvironment() });
};

const chosen =
	typed.length > 0
		? typed
		: [
				'--testPathIgnorePatterns',
				'/node_modules/',
				'/test/(e2e|full|real-servers)/',
				...ON_REQUEST,
			];
const tests = { name: 'unit and contract tests', check: async () => await runJest(log, chosen) };

await main(async () => {
	await ensureDependencies(log);
	if (typed.length > 0) return await runChecks(log, [tests]);
	return await runChecks(log, [
		[
			{
				name: 'formatting',
				check: async () =>
					await tool('prettier', [
						'--check',
						'.',
						'--cache',
						'--cache-location',
						join(cache, 'prettier'),
					]),
			},
			{ name: 'lint', check: async () => await tool('n8n-node', ['lint']) },
			{
				name: 'types',
				check: async () => {
					for (const project of ['tsconfig.json', 'scripts/tsconfig.json']) {
						const known = join(cache, `${project.replace('/', '-')}.tsbuildinfo`);
						const args = ['--noEmit', '-p', project, '--incremental', '--tsBuildInfoFile', known];
						// TypeScript checks again what changed, and what depends on it; all of it for another version or option.
						await withKeptFile(known, async () => await tool('tsc', args));
					}
				},
			},
			{
				name: 'build from scratch',
				check: async () => {
					await ensureBuild(log, { force: true });
				},
			},
		],
		[
			tests,
			{
				name: 'package',
				check: async (progress) => {
					const { stdout } = await npm(
						['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'],
						{
							cwd: root,
						},
					);
					/** @type {import('./lib/types').PackedPackage[]} */
					const [packed] = JSON.parse(stdout);
					if (!packed) throw new Error(`npm pack said nothing about the package:\n${stdout}`);
					/** @type {import('./lib/types').PackageManifest} */
					const manifest = readJson(join(root, 'package.json'));
					const named = [...(manifest.n8n?.nodes ?? []), ...(manifest.n8n?.credentials ?? [])];
					const problems = [
						...packageProblems(packed, manifest),
						...named
							.filter((file) => !existsSync(join(root, file)))
							.map((file) => `${file} was not built`),
					];
					if (problems.length > 0)
						throw new Error(`The package is not right:\n- ${problems.join('\n- ')}`);
					progress.note(`${formatSize(packed.size)}, ${packed.files.length} files`);
				},
			},
			{
				name: "n8n's package check",
				check: async (progress) => {
					const problems = await scanProblems();
					if (problems.length > 0) throw new Error(problems.join('\n'));
					progress.note(`source passes; packed, all but ${BUNDLE}`);
				},
			},
		],
	]);
});
