/** The pinned n8n, installed once per lock file and Node version into the cache. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cached } from './cache.mjs';
import { installCopy, node, nodeHeaders, toolEnvironment } from './deps.mjs';
import { npmEnvironment } from './npm.mjs';
import { readJson, root, shortHash } from './paths.mjs';
import { CommandError, findOnPath, lastLines, run } from './proc.mjs';

/** @typedef {import('./types').N8nInstall} N8nInstall */

/** Folder of each version's lock file. */
const PLAYGROUNDS = { 2.41: 'playground', '2.20': join('playground', 'n8n-2.20') };

/** @returns {string} which n8n: `2.41`, or what `N8N_PLAYGROUND` says */
export const chosenN8n = () => process.env.N8N_PLAYGROUND || '2.41';

/**
 * npm carries a newer node-gyp than n8n's tree; n8n's cannot work with Python 3.12 and later.
 *
 * @param {string} folder
 */
const nodeGyp = (folder) => {
	const npmCli = process.env.npm_execpath ?? '';
	const candidates = [
		basename(npmCli) === 'npm-cli.js' ? join(dirname(npmCli), '..') : '',
		join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm'),
		'/usr/lib/node_modules/npm',
		'/usr/local/lib/node_modules/npm',
		'/usr/share/nodejs',
		folder,
	].filter(Boolean);
	return candidates
		.map((npm) => join(npm, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
		.concat('/usr/share/nodejs/node-gyp/bin/node-gyp.js')
		.find((file) => existsSync(file));
};

/** @returns {string | undefined} what a native build lacks on this machine, with the command that brings it */
const missingForNativeBuild = () => {
	const missing = [
		findOnPath('python3') ? '' : 'python3',
		findOnPath('make') ? '' : 'make',
		findOnPath('g++') || findOnPath('c++') || findOnPath('clang++') ? '' : 'g++',
	].filter(Boolean);
	if (missing.length === 0) return undefined;
	const fix = process.platform === 'darwin' ? 'xcode-select --install' : `apt-get install -y ${missing.join(' ')}`;
	return `it must be compiled here, which needs ${missing.join(', ')}: ${fix}`;
};

/**
 * Makes a native module of n8n's tree loadable: as it came, by its own prebuilt binary, or compiled.
 *
 * @param {string} folder
 * @param {string} name
 * @param {(state: string) => void} progress
 */
const ensureNative = async (folder, name, progress) => {
	const module = join(folder, 'node_modules', name);
	if (!existsSync(module)) return;
	const loads = async () => {
		const { code } = await run(node, ['-e', `require(${JSON.stringify(module)})`], { check: false });
		return code === 0;
	};
	if (await loads()) return;
	const env = npmEnvironment(toolEnvironment());
	const prebuildInstall = join(folder, 'node_modules', 'prebuild-install', 'bin.js');
	const { dependencies = {} } = readJson(join(module, 'package.json'));
	if (dependencies['prebuild-install'] && existsSync(prebuildInstall)) {
		progress(`${name}: looking for a prebuilt binary`);
		const got = await run(node, [prebuildInstall, '-r', 'napi'], { cwd: module, env, check: false, timeoutMs: 60_000 });
		if (got.code === 0 && (await loads())) return;
	}
	const missing = missingForNativeBuild();
	if (missing)
		throw new Error(`n8n needs the native module ${name}; no prebuilt binary of it could be had, so ${missing}`);
	const gyp = nodeGyp(folder);
	if (!gyp) throw new Error('node-gyp, which comes with npm, was not found: reinstall npm (npm install -g npm)');
	const headers = nodeHeaders();
	const args = [gyp, 'rebuild', '--release', ...(headers ? [`--nodedir=${headers}`] : [])];
	progress(`${name}: compiling`);
	try {
		await run(node, args, {
			cwd: module,
			env: { ...env, JOBS: 'max' },
			onLine: (line) => {
				const file = /\b(?:CC|CXX)\(target\)\s+\S*\/(\S+)\.o$/.exec(line)?.[1];
				if (file) progress(`${name}: compiling ${file}`);
			},
		});
	} catch (error) {
		const output = error instanceof CommandError ? lastLines(error.output, 15) : String(error);
		throw new Error(`The native module ${name} could not be compiled:\n${output}`);
	}
	if (!(await loads())) throw new Error(`The native module ${name} was compiled but does not load`);
};

/**
 * @param {import('./types').Log} log
 * @param {{ choice?: string, nodeReady?: Promise<unknown> }} [options] `choice`: `2.41` or `2.20`; `nodeReady`: settles
 *   when the clone's own Node is there, which only the last part of the installation needs
 * @returns {Promise<N8nInstall>}
 */
export const ensureN8n = async (log, { choice = chosenN8n(), nodeReady } = {}) => {
	const playground = Object.entries(PLAYGROUNDS).find(([name]) => name === choice)?.[1];
	if (!playground) {
		const known = Object.keys(PLAYGROUNDS).join(', ');
		throw new Error(`N8N_PLAYGROUND=${choice} is not one of the n8n versions that can be installed: ${known}`);
	}
	const source = join(root, playground);
	/** @type {string} */
	const version = readJson(join(source, 'package.json')).dependencies.n8n;
	const nodeVersion = readJson(join(root, 'package.json')).devDependencies.node;
	const key = `n8n-${version}-${shortHash(readFileSync(join(source, 'package-lock.json')), nodeVersion, process.arch)}`;
	return await log.step(`n8n ${version}`, async (progress) => {
		let built = false;
		const folder = await cached(
			key,
			async (target) => {
				built = true;
				await installCopy(source, target, progress);
				await nodeReady;
				for (const name of ['isolated-vm', 'sqlite3']) await ensureNative(target, name, progress);
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is installing it`) },
		);
		if (!built) progress.note('installed');
		return { version, folder, bin: join(folder, 'node_modules', 'n8n', 'bin', 'n8n') };
	});
};
