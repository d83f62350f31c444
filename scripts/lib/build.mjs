/** Builds the package when its sources have changed, and copies it to where n8n loads it like an installed package. */
import {
	copyFileSync,
	cpSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheDir, cached, withLock } from './cache.mjs';
import { toolEnvironment } from './deps.mjs';
import { hashOfFiles, playgroundData, readJsonIfThere, root, shortHash } from './paths.mjs';
import { run } from './proc.mjs';

const SOURCES = [
	...['credentials', 'icons', 'lib', 'nodes', 'workflows', 'gulpfile.js'],
	...['scripts/lib/bundle.mjs', 'scripts/lib/licences.mjs'],
	...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
];
const KEPT_COPIES = 10;

/**
 * @param {import('./types').Log} log
 * @param {{ force?: boolean }} [options] `force`: build although nothing has changed
 * @returns {Promise<string>} hash of the content of `dist`
 */
export const ensureBuild = async (log, { force = false } = {}) =>
	await log.step('build', async (progress) => {
		mkdirSync(playgroundData, { recursive: true });
		const dist = join(root, 'dist');
		const stamp = join(playgroundData, 'build.json');
		return await withLock(join(playgroundData, 'build.lock'), async () => {
			const sources = hashOfFiles(SOURCES.map((path) => join(root, path)));
			/** @type {{ sources: string, dist: string } | undefined} */
			const last = readJsonIfThere(stamp);
			if (!force && last?.sources === sources && last.dist === hashOfFiles([dist])) {
				progress.note('unchanged');
				return last.dist;
			}
			const gulp = join(root, 'node_modules', '.bin', 'gulp');
			await run(gulp, ['build'], { cwd: root, env: toolEnvironment(), onLine: progress });
			const built = { sources, dist: hashOfFiles([dist]) };
			writeFileSync(stamp, JSON.stringify(built));
			return built.dist;
		});
	});

/** @param {string} folder of the cache */
const removeOldCopies = (folder) => {
	const copies = readdirSync(folder)
		.filter((name) => name.startsWith('nodes-'))
		.map((name) => ({ path: join(folder, name), time: statSync(join(folder, name)).mtimeMs }))
		.sort((one, other) => other.time - one.time);
	for (const { path } of copies.slice(KEPT_COPIES)) rmSync(path, { recursive: true, force: true });
};

/**
 * Copies the build outside the clone. Inside it, Node would find the clone's own `n8n-workflow` and SDK before the
 * host's, and the nodes would use other classes than n8n. n8n adds its own modules through NODE_PATH, which is searched
 * last.
 *
 * @param {string} build hash of `dist`
 * @returns {Promise<string>} folder for `N8N_CUSTOM_EXTENSIONS`
 */
export const stageBuild = async (build) => {
	const folder = await cached(
		`nodes-${shortHash(build, readFileSync(join(root, 'package.json')))}`,
		async (target) => {
			copyFileSync(join(root, 'package.json'), join(target, 'package.json'));
			cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true });
		},
	);
	// A running n8n reads icons from its copy: mark it as in use.
	utimesSync(folder, new Date(), new Date());
	removeOldCopies(cacheDir());
	return folder;
};
