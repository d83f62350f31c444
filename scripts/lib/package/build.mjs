/** Builds the package when its sources have changed, and copies it to the folder from which n8n loads it like an installed package. */
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, withLock } from '../system/cache.mjs';
import { toolEnvironment } from '../system/dependencies.mjs';
import { hashOfFiles, playgroundData, readJsonIfThere, root, shortHash } from '../system/paths.mjs';
import { run } from '../system/processes.mjs';

const SOURCES = [
	...['credentials', 'icons', 'lib', 'nodes', 'workflows', 'gulpfile.js'],
	...['scripts/lib/package/bundle.mjs', 'scripts/lib/package/licences.mjs'],
	...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
];

/**
 * @param {import('../types').Log} log
 * @param {{ force?: boolean }} [options] `force`: build although nothing has changed
 */
export const ensureBuild = async (log, { force = false } = {}) =>
	await log.step('build', async (progress) => {
		mkdirSync(playgroundData, { recursive: true });
		const dist = join(root, 'dist');
		const stamp = join(playgroundData, 'build.json');
		await withLock(join(playgroundData, 'build.lock'), async () => {
			const sources = hashOfFiles(SOURCES.map((path) => join(root, path)));
			/** @type {{ sources: string, dist: string } | undefined} */
			const last = readJsonIfThere(stamp);
			if (!force && last?.sources === sources && last.dist === hashOfFiles([dist])) {
				progress.note('unchanged');
				return;
			}
			const gulp = join(root, 'node_modules', '.bin', 'gulp');
			await run(gulp, ['build'], { cwd: root, env: toolEnvironment(), onLine: progress });
			const built = { sources, dist: hashOfFiles([dist]) };
			writeFileSync(stamp, JSON.stringify(built));
		});
	});

/**
 * Copies the build outside the clone. Inside it, Node would find the clone's own `n8n-workflow` and SDK before the
 * host's, and the nodes would use other classes than n8n. n8n adds its own modules through NODE_PATH, which is searched
 * last.
 *
 * @param {'nodes' | 'dev'} [name]
 * @returns {string} folder for `N8N_CUSTOM_EXTENSIONS`
 */
export const stageBuild = (name = 'nodes') => {
	const folder = join(cacheDir(), `${name}-${shortHash(root)}`);
	const stamp = join(folder, 'staged.json');
	const built = hashOfFiles([join(root, 'dist'), join(root, 'package.json')]);
	// Another n8n may be using it.
	if (name === 'nodes' && readJsonIfThere(stamp) === built) return folder;
	rmSync(folder, { recursive: true, force: true });
	// With N8N_DEV_RELOAD, n8n lists this folder before it watches, and gives up without it.
	mkdirSync(join(folder, 'node_modules'), { recursive: true });
	copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
	cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
	writeFileSync(stamp, JSON.stringify(built));
	return folder;
};
