/**
 * The llama-server inside the Python package xllamacpp: no compiler is needed, one wheel of 34 MB. It has no router.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { hashOfFiles, root, shortHash } from './paths.mjs';
import { lastLines, run } from './proc.mjs';
import { findPython, installWheels } from './python.mjs';

const VERSION = '2026.10.11549';
/** SHA-256 of the wheels for Linux and macOS, on x86-64 and on ARM. */
const HASHES = [
	'c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261',
	'e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e',
	'4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781',
	'1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689',
];
const LAUNCHER = join(root, 'scripts', 'lib', 'llama_server.py');
export const WHEEL_SOURCE = `xllamacpp ${VERSION}`;

/**
 * The package needs the system's OpenMP library of GCC, which small containers lack. This wheel of 0.5 MB contains it;
 * the Python version it was built for does not matter.
 */
const OPENMP = { name: 'pykdtree', version: '1.4.3', python: '3.12', libraries: 'pykdtree.libs' };
/** @type {Record<string, { platform: string, hash: string }>} */
const OPENMP_FILES = {
	x64: {
		platform: 'manylinux_2_28_x86_64',
		hash: '08d63ee594b5cd7524bfa37ab857304a775ed04b7431ed4b48169ad664d694d8',
	},
	arm64: {
		platform: 'manylinux_2_28_aarch64',
		hash: '8ace71f89edb21dc24c5d6c9e952638c7f2d229d75701a39e633f30b08668b63',
	},
};
const NO_OPENMP = /libgomp\.so\.1: cannot open/;

/**
 * @param {string} python
 * @param {string} folder gets `lib/libgomp.so.1`
 */
const installOpenMp = async (python, folder) => {
	const file = process.platform === 'linux' ? OPENMP_FILES[process.arch] : undefined;
	if (!file) return;
	const work = join(folder, 'openmp');
	mkdirSync(work);
	const { name, version } = OPENMP;
	const packages = await installWheels(
		python,
		work,
		[{ name, version, hashes: [file.hash] }],
		[...['--implementation', 'cp', '--python-version', OPENMP.python, '--platform', file.platform]],
	);
	const libraries = join(packages, OPENMP.libraries);
	const library = readdirSync(libraries).find((entry) => entry.startsWith('libgomp'));
	if (!library) throw new Error(`${name} ${version} holds no libgomp`);
	mkdirSync(join(folder, 'lib'));
	copyFileSync(join(libraries, library), join(folder, 'lib', 'libgomp.so.1'));
	rmSync(work, { recursive: true });
};

/**
 * The shell script `llama-server`. It finds its folder by itself, also through a symbolic link, since the folder is moved
 * when it is complete.
 *
 * @param {string} python
 */
export const launcherScript = (python) => {
	const quoted = `'${python.replaceAll("'", `'\\''`)}'`;
	return [
		'#!/bin/sh',
		'file=$(readlink -f "$0" 2>/dev/null || echo "$0")',
		'here="${file%/*}"',
		'if [ -d "$here/lib" ]; then export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"; fi',
		`PYTHONPATH="$here/packages" exec ${quoted} "$here/llama_server.py" "$@"`,
		'',
	].join('\n');
};

/**
 * @param {string} python
 * @param {string} folder
 */
const install = async (python, folder) => {
	await installWheels(python, folder, [{ name: 'xllamacpp', version: VERSION, hashes: HASHES }]);
	const binary = join(folder, 'llama-server');
	copyFileSync(LAUNCHER, join(folder, 'llama_server.py'));
	writeFileSync(binary, launcherScript(python));
	chmodSync(binary, 0o755);
	const version = async () => await run(binary, ['--version'], { cwd: folder, check: false });
	const first = await version();
	if (first.code === 0) return;
	if (NO_OPENMP.test(first.output)) await installOpenMp(python, folder);
	const { code, output } = await version();
	if (code === 0) return;
	const hint = NO_OPENMP.test(output) ? ' (apt-get install -y libgomp1)' : '';
	throw new Error(
		`The llama-server of xllamacpp does not run here: ${lastLines(output, 1)}${hint}`,
	);
};

/**
 * @param {import('./types').Progress} progress
 * @returns {Promise<string>} a program that takes llama-server's options
 * @throws where Python or the wheel is missing, with what to do
 */
export const ensureLlamaWheel = async (progress) => {
	const found = await findPython();
	if ('problem' in found) throw new Error(found.problem);
	const key = `llama-server-xllamacpp-${VERSION}-${shortHash(launcherScript(found.python), hashOfFiles([LAUNCHER]))}`;
	const folder = await cached(
		key,
		async (target) => {
			progress('downloading 34 MB');
			await install(found.python, target);
		},
		{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`) },
	);
	return join(folder, 'llama-server');
};
