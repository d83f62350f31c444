/** Python packages, installed into a folder: that needs no virtual environment, also where the system manages its Python itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, findOnPath, lastLines, run } from './proc.mjs';

/** Settings of the user's own pip with which it refuses a folder of packages. */
export const folderAllowed = () => ({ ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' });

/**
 * @param {[major: number, minor: number]} [oldest] what the packages ask for
 * @returns {Promise<{ python: string } | { problem: string }>} a Python that can install packages, or what is missing
 */
export const findPython = async ([oldestMajor, oldestMinor] = [3, 10]) => {
	const python = findOnPath('python3') ?? findOnPath('python');
	const install = process.platform === 'darwin' ? 'brew install python' : 'apt-get install -y python3 python3-pip';
	if (!python) return { problem: `python3 was not found (${install})` };
	const version = await run(python, ['-c', 'import sys; print(*sys.version_info[:2])'], { check: false });
	const [major = 0, minor = 0] = version.stdout.trim().split(' ').map(Number);
	if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
		return { problem: `Python ${oldestMajor}.${oldestMinor} or newer is needed, and ${python} is ${major}.${minor}` };
	}
	const pip = await run(python, ['-m', 'pip', '--version'], { check: false });
	return pip.code === 0 ? { python } : { problem: `${python} has no pip (${install})` };
};

/**
 * Installs wheels, each pinned by its hash, without what they ask for.
 *
 * @param {string} python from `findPython`
 * @param {string} folder is filled; a file beside the packages says what was asked for
 * @param {Array<{ name: string, version: string, hashes: string[] }>} wheels `hashes`: SHA-256, of each file that may come
 * @param {string[]} [options] further ones of pip
 * @returns {Promise<string>} the folder with the packages
 * @throws {Error} with the end of what pip said
 */
export const installWheels = async (python, folder, wheels, options = []) => {
	const requirements = join(folder, 'requirements.txt');
	const lines = wheels.map(
		({ name, version, hashes }) => `${name}==${version} ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
	);
	writeFileSync(requirements, lines.join(''));
	const target = join(folder, 'packages');
	try {
		await run(
			python,
			[
				...['-m', 'pip', 'install', '--no-deps', '--only-binary=:all:', '--require-hashes', '--no-compile', '--quiet'],
				...['--disable-pip-version-check', '--root-user-action=ignore', '--target', target, '-r', requirements],
				...options,
			],
			{ cwd: folder, env: folderAllowed(), timeoutMs: 15 * 60_000 },
		);
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		const names = wheels.map(({ name, version }) => `${name} ${version}`).join(', ');
		throw output ? new Error(`${names} could not be installed:\n${lastLines(output, 5)}`) : error;
	}
	return target;
};

/**
 * Installs packages with whatever they ask for.
 *
 * @param {string} python from `findPython`
 * @param {string} target the folder for the packages
 * @param {string[]} packages `name==version`
 * @throws {Error} with the end of what pip said
 */
export const installPackages = async (python, target, packages) => {
	try {
		await run(
			python,
			[
				...['-m', 'pip', 'install', '--only-binary=:all:', '--no-compile', '--quiet'],
				...['--disable-pip-version-check', '--root-user-action=ignore', '--target', target, ...packages],
			],
			{ env: folderAllowed(), timeoutMs: 15 * 60_000 },
		);
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		throw output ? new Error(`${packages.join(', ')} could not be installed:\n${lastLines(output, 5)}`) : error;
	}
};
