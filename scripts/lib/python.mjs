/** Installs Python packages into a folder: no virtual environment is needed, even where the system manages its Python. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, findOnPath, lastLines, run } from './proc.mjs';

/** Overrides the user's pip settings that forbid `--target`. */
export const pipTargetEnvironment = () => ({
	...process.env,
	PIP_USER: '0',
	PIP_REQUIRE_VIRTUALENV: '0',
});

/**
 * @param {[major: number, minor: number]} [oldest] oldest Python version that the packages support
 * @returns {Promise<{ python: string } | { problem: string }>} a Python that can install packages, or what is missing
 */
export const findPython = async ([oldestMajor, oldestMinor] = [3, 10]) => {
	const python = findOnPath('python3') ?? findOnPath('python');
	const install =
		process.platform === 'darwin'
			? 'brew install python'
			: 'apt-get install -y python3 python3-pip';
	if (!python) return { problem: `python3 was not found (${install})` };
	const version = await run(python, ['-c', 'import sys; print(*sys.version_info[:2])'], {
		check: false,
	});
	const [major = 0, minor = 0] = version.stdout.trim().split(' ').map(Number);
	if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
		return {
			problem: `Python ${oldestMajor}.${oldestMinor} or newer is needed, and ${python} is ${major}.${minor}`,
		};
	}
	const pip = await run(python, ['-m', 'pip', '--version'], { check: false });
	return pip.code === 0 ? { python } : { problem: `${python} has no pip (${install})` };
};

/**
 * Installs wheels, each pinned by its hash, without their dependencies.
 *
 * @param {string} python from `findPython`
 * @param {string} folder for a folder of packages and the requirements file
 * @param {Array<{ name: string, version: string, hashes: string[] }>} wheels `hashes`: SHA-256 of each possible file
 * @param {string[]} [options] further options of pip
 * @returns {Promise<string>} the folder with the packages
 * @throws {Error} with the last lines of pip's output
 */
export const installWheels = async (python, folder, wheels, options = []) => {
	const requirements = join(folder, 'requirements.txt');
	const lines = wheels.map(
		({ name, version, hashes }) =>
			`${name}==${version} ${hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
	);
	writeFileSync(requirements, lines.join(''));
	const target = join(folder, 'packages');
	try {
		await run(
			python,
			[
				...[
					'-m',
					'pip',
					'install',
					'--no-deps',
					'--only-binary=:all:',
					'--require-hashes',
					'--no-compile',
					'--quiet',
				],
				...[
					'--disable-pip-version-check',
					'--root-user-action=ignore',
					'--target',
					target,
					'-r',
					requirements,
				],
				...options,
			],
			{ cwd: folder, env: pipTargetEnvironment(), timeoutMs: 15 * 60_000 },
		);
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		const names = wheels.map(({ name, version }) => `${name} ${version}`).join(', ');
		throw output ? new Error(`${names} could not be installed:\n${lastLines(output, 5)}`) : error;
	}
	return target;
};

/**
 * Installs packages with their dependencies.
 *
 * @param {string} python from `findPython`
 * @param {string} target the folder for the packages
 * @param {string[]} packages `name==version`
 * @throws {Error} with the last lines of pip's output
 */
export const installPackages = async (python, target, packages) => {
	try {
		await run(
			python,
			[
				...['-m', 'pip', 'install', '--only-binary=:all:', '--no-compile', '--quiet'],
				...[
					'--disable-pip-version-check',
					'--root-user-action=ignore',
					'--target',
					target,
					...packages,
				],
			],
			{ env: pipTargetEnvironment(), timeoutMs: 15 * 60_000 },
		);
	} catch (error) {
		const output = error instanceof CommandError ? error.output : '';
		throw output
			? new Error(`${packages.join(', ')} could not be installed:\n${lastLines(output, 5)}`)
			: error;
	}
};
