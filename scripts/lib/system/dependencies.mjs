/** Runs npm, and installs the clone's dependencies with the pinned Node, which runs everything else. */
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDir, withLock } from './cache.mjs';
import { readJson, readJsonIfThere, root, shortHash } from './paths.mjs';
import { findOnPath, run } from './processes.mjs';

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} LockFile */

const bin = join(root, 'node_modules', '.bin');

/** The pinned Node. */
export const node = join(bin, 'node');
/** @type {string} */
export const nodeVersion = readJson(join(root, 'package.json')).devDependencies.node;

/** npm exports the settings of the project it was called in; they must not reach another project. */
const PROJECT_SETTINGS =
	/^npm_(package_|lifecycle_|command$|config_(?!registry|cache|https?_proxy|proxy|noproxy|ca|cafile|strict_ssl|userconfig))/i;

/**
 * Not the `node` in this clone's node_modules, which `npm ci` deletes while it runs.
 *
 * @returns {string} PATH without the clone's own programs
 */
const outerPath = () =>
	(process.env.PATH ?? '')
		.split(delimiter)
		.filter((folder) => folder !== bin)
		.join(delimiter);

/**
 * @param {string[]} args
 * @param {import('../types').RunOptions} [options]
 */
export const npm = async (args, options = {}) => {
	const own = Object.entries(process.env).filter(([name]) => !PROJECT_SETTINGS.test(name));
	const env = {
		...Object.fromEntries(own),
		PATH: outerPath(),
		// Lock files pin versions by hash. A user's minimum age or date for packages would make npm refuse them.
		npm_config_before: 'null',
		npm_config_min_release_age: '0',
		npm_config_update_notifier: 'false',
		// The default of two is too few for thousands of packages over a bad connection.
		npm_config_fetch_retries: '5',
		NODE_ENV: 'development',
	};
	return await run(findOnPath('npm', outerPath()) ?? 'npm', args, { ...options, env });
};

/** Arguments of every install from a lock file. Install scripts never run. */
export const INSTALL_ARGS = [
	...['--ignore-scripts', '--legacy-peer-deps', '--include=dev', '--include=optional'],
	...['--engine-strict=false', '--install-strategy=hoisted', '--prefer-offline'],
	...['--no-audit', '--no-fund', '--loglevel=error'],
];

/**
 * npm writes `node_modules/.package-lock.json` last, so it is missing after an interrupted install.
 *
 * @returns {boolean} whether `node_modules` matches `package-lock.json`
 */
const isInstalled = () => {
	/** @type {LockFile} */
	const lockFile = readJson(join(root, 'package-lock.json'));
	/** @type {LockFile | undefined} */
	const installed = readJsonIfThere(join(root, 'node_modules', '.package-lock.json'));
	return Object.entries(lockFile.packages).every(
		([path, { version, optional, link }]) =>
			path === '' || optional || link || installed?.packages[path]?.version === version,
	);
};

/** The npm package `node` fetches its binary in an install script. */
const ensureNode = async () => {
	const readVersion = async () => {
		const { stdout } = await run(node, ['--version'], { check: false });
		return stdout.trim();
	};
	if ((await readVersion()) === `v${nodeVersion}`) return;
	const args = ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'];
	const { output } = await npm(args, { cwd: root, check: false });
	if ((await readVersion()) !== `v${nodeVersion}`)
		throw new Error(
			`"npm rebuild node" gives no Node ${nodeVersion} that runs on this machine (Alpine and other musl systems have none).\n${output}`,
		);
};

/**
 * @returns {NodeJS.ProcessEnv} an environment with the clone's own `node`, `jest`, `gulp` and so on first in PATH, and
 *   without a proxy for local addresses
 */
export const toolEnvironment = () => {
	const { NO_PROXY, no_proxy: lowerCase } = process.env;
	const addresses = ['127.0.0.1', 'localhost', NO_PROXY, lowerCase].filter(Boolean);
	// Programs differ in which of the two variables they read.
	const direct = [...new Set(addresses)].join(',');
	const PATH = [bin, outerPath()].join(delimiter);
	return { ...process.env, PATH, NO_PROXY: direct, no_proxy: direct };
};

/**
 * Installs the clone's dependencies if they are missing.
 *
 * @param {import('../types').Log} log
 * @returns {Promise<void>}
 */
export const ensureDependencies = async (log) => {
	if (process.platform === 'win32') throw new Error('On Windows, run this in WSL.');
	const locks = join(cacheDir(), '.locks');
	mkdirSync(locks, { recursive: true });
	await log.step('dependencies', async (progress) => {
		await withLock(join(locks, `dependencies-${shortHash(root)}.lock`), async () => {
			progress('npm ci');
			if (isInstalled()) progress.note('installed');
			else await npm(['ci', ...INSTALL_ARGS], { cwd: root });
			progress('Node');
			await ensureNode();
		});
	});
};
