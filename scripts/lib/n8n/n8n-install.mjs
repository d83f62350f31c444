/** Installs the pinned n8n into the cache, once per version of n8n and Node. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../system/cache.mjs';
import { INSTALL_ARGS, node, nodeVersion, npm } from '../system/dependencies.mjs';
import { readJson, root, shortHash } from '../system/paths.mjs';
import { run } from '../system/processes.mjs';
import { allOrEveryFailure } from '../system/script-main.mjs';

/** Has a folder for each version. The oldest one has no lock file. */
const VERSIONS = join(root, 'scripts', 'n8n-versions');
const NEWEST = '2.41';

/**
 * Has binaries for n8n's sqlite3 5.1.7, built from its C++ sources: the module itself would fetch one from GitHub in a
 * script, or compile one.
 */
export const SQLITE = {
	name: '@appthreat/sqlite3',
	version: '8.0.1',
	integrity:
		'sha512-vniyX1KlUNAFVUCvfOrCidJfKox9E2nMd4O2qXu9BtD4XfcPGfqaLPlZMiKtXyoRHqFGqTLtNE1mejONqMhucg==',
};

/** @param {string} module its folder @returns {Promise<boolean>} whether Node can load it */
const loads = async (module) => {
	const args = ['-e', `require(${JSON.stringify(module)})`];
	return (await run(node, args, { check: false })).code === 0;
};

/**
 * Gets the binaries of all machines.
 *
 * @param {string} work the folder for them
 */
const fetchSqlite = async (work) => {
	const { name, version, integrity } = SQLITE;
	mkdirSync(work);
	await npm(['pack', `${name}@${version}`, '--pack-destination', work], { cwd: work });
	const [archive = ''] = readdirSync(work);
	const bytes = readFileSync(join(work, archive));
	if (integrity !== `sha512-${createHash('sha512').update(bytes).digest('base64')}`)
		throw new Error(`${name} ${version} of this registry has another hash than the tested one`);
	await run('tar', ['-xzf', archive], { cwd: work });
};

/**
 * Puts the binary of this machine, and of its C library, into n8n's sqlite3.
 *
 * @param {string} folder of n8n
 * @param {string} work the folder with the binaries
 */
const placeSqlite = async (folder, work) => {
	const module = join(folder, 'node_modules', 'sqlite3');
	if (await loads(module)) return;
	const machine = join(work, 'package', 'prebuilds', `${process.platform}-${process.arch}`);
	const target = join(module, 'build', 'Release');
	mkdirSync(target, { recursive: true });
	for (const file of existsSync(machine) ? readdirSync(machine) : []) {
		copyFileSync(join(machine, file), join(target, 'node_sqlite3.node'));
		if (await loads(module)) return;
	}
	throw new Error(
		`${SQLITE.name} ${SQLITE.version} has no binary that loads here (it needs glibc 2.34 or newer)`,
	);
};

/**
 * @param {import('../types').Log} log
 * @param {{ nodeReady?: Promise<unknown> }} [options] `nodeReady`: settles when the clone's own Node is installed, which
 *   only the last part of the installation needs
 * @returns {Promise<import('../types').N8nInstall>} the version in `LOCAL_LLAMA_N8N`, otherwise 2.41
 */
export const ensureN8n = async (log, { nodeReady } = {}) => {
	const choice = process.env.LOCAL_LLAMA_N8N || NEWEST;
	const choices = readdirSync(VERSIONS);
	if (!choices.includes(choice))
		throw new Error(`LOCAL_LLAMA_N8N=${choice} is none of ${choices.join(', ')}`);
	const source = join(VERSIONS, choice);
	/** @type {string} */
	const version = readJson(join(source, 'package.json')).dependencies.n8n;
	const lock = join(source, 'package-lock.json');
	const hasLock = existsSync(lock);
	const files = ['package.json', '.npmrc', ...(hasLock ? ['package-lock.json'] : [])];
	const pinned = readFileSync(hasLock ? lock : join(source, 'package.json'));
	const key = `n8n-${version}-${shortHash(pinned, nodeVersion, process.arch)}`;
	return await log.step(`n8n ${version}`, async (progress) => {
		const folder = await cached(key, async (target) => {
			for (const file of files) copyFileSync(join(source, file), join(target, file));
			const work = join(target, 'sqlite');
			progress('npm installs 2,000 packages, once for all later starts (about 3 minutes)');
			await allOrEveryFailure([
				npm([hasLock ? 'ci' : 'install', ...INSTALL_ARGS], { cwd: target }),
				fetchSqlite(work),
			]);
			progress('its database');
			await nodeReady;
			await placeSqlite(target, work);
			rmSync(work, { recursive: true });
		});
		return { version, folder, bin: join(folder, 'node_modules', 'n8n', 'bin', 'n8n') };
	});
};
