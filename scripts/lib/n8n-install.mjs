/** Installs the pinned n8n into the cache, once per version of n8n and Node. */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { installCopy } from './deps.mjs';
import { ensureNative } from './native-modules.mjs';
import { INSTALL_ARGS, npm } from './npm.mjs';
import { readJson, root, shortHash } from './paths.mjs';

/** @typedef {import('./types').N8nInstall} N8nInstall */

/** Folder of each version. The oldest one has no lock file. */
const PLAYGROUNDS = { 2.41: 'playground', '2.20': join('playground', 'n8n-2.20') };

/** @returns {string} version of n8n: `N8N_PLAYGROUND`, else `2.41` */
export const chosenN8n = () => process.env.N8N_PLAYGROUND || '2.41';

/**
 * @param {string} source
 * @param {string} target
 * @param {(state: string) => void} progress
 */
const installPlayground = async (source, target, progress) => {
	if (existsSync(join(source, 'package-lock.json'))) {
		await installCopy(source, target, progress);
		return;
	}
	for (const file of ['package.json', '.npmrc'])
		copyFileSync(join(source, file), join(target, file));
	progress('npm looks up the packages');
	await npm(['install', ...INSTALL_ARGS], { cwd: target });
};

/**
 * @param {import('./types').Log} log
 * @param {{ choice?: string, nodeReady?: Promise<unknown> }} [options] `choice`: `2.41` or `2.20`; `nodeReady`: settles
 *   when the clone's own Node is installed, which only the last part of the installation needs
 * @returns {Promise<N8nInstall>}
 */
export const ensureN8n = async (log, { choice = chosenN8n(), nodeReady } = {}) => {
	const playground = Object.entries(PLAYGROUNDS).find(([name]) => name === choice)?.[1];
	if (!playground) {
		const known = Object.keys(PLAYGROUNDS).join(', ');
		throw new Error(
			`N8N_PLAYGROUND=${choice} is not one of the n8n versions that can be installed: ${known}`,
		);
	}
	const source = join(root, playground);
	/** @type {string} */
	const version = readJson(join(source, 'package.json')).dependencies.n8n;
	const nodeVersion = readJson(join(root, 'package.json')).devDependencies.node;
	const named = ['package-lock.json', 'package.json'].find((file) =>
		existsSync(join(source, file)),
	);
	const key = `n8n-${version}-${shortHash(readFileSync(join(source, named ?? '')), nodeVersion, process.arch)}`;
	return await log.step(`n8n ${version}`, async (progress) => {
		let built = false;
		const folder = await cached(
			key,
			async (target) => {
				built = true;
				await installPlayground(source, target, progress);
				await nodeReady;
				const sources = [];
				for (const name of ['isolated-vm', 'sqlite3'])
					sources.push(await ensureNative(target, name, progress));
				progress.note(sources.filter(Boolean).join(', '));
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is installing it`) },
		);
		if (!built) progress.note('installed');
		return { version, folder, bin: join(folder, 'node_modules', 'n8n', 'bin', 'n8n') };
	});
};
