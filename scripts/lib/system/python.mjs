/** Installs Python packages into a folder: no virtual environment is needed, even if the system manages its Python. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, findOnPath, lastLines, run } from './processes.mjs';

const HINT =
	process.platform === 'darwin' ? 'brew install python' : 'apt-get install -y python3 python3-pip';

/** @returns {Promise<string>} a Python that can install packages; throws if something is missing, with its name */
export const findPython = async () => {
	const python = findOnPath('python3');
	if (!python) throw new Error(`python3 was not found (${HINT})`);
	const { code } = await run(python, ['-m', 'pip', '--version'], { check: false });
	if (code !== 0) throw new Error(`${python} has no pip (${HINT})`);
	return python;
};

/**
 * @param {string} python from `findPython`
 * @param {string} target the folder for the packages
 * @param {string[]} args packages and options of pip
 * @throws {Error} with the last lines of pip's output
 */
export const installPackages = async (python, target, args) => {
	const how = [
		...['-m', 'pip', 'install', '--only-binary=:all:', '--no-compile', '--quiet'],
		...['--disable-pip-version-check', '--root-user-action=ignore', '--target', target],
	];
	// Settings of the user that forbid --target.
	const env = { ...process.env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };
	const { code, output } = await run(python, [...how, ...args], { env, check: false });
	if (code !== 0)
		throw new CommandError(`pip install ${args.join(' ')}:\n${lastLines(output, 5)}`, output, code);
};

/**
 * Installs one wheel without its dependencies, pinned by the hash of each possible file.
 *
 * @param {string} folder for the packages and the requirements file
 * @param {{ name: string, version: string, hashes: string[] }} wheel
 * @returns {Promise<string>} the folder with the package
 */
export const installWheel = async (folder, { name, version, hashes }) => {
	const python = await findPython();
	const requirements = join(folder, 'requirements.txt');
	const pins = hashes.map((hash) => ` --hash=sha256:${hash}`).join('');
	writeFileSync(requirements, `${name}==${version}${pins}\n`);
	const target = join(folder, 'packages');
	await installPackages(python, target, ['--no-deps', '--require-hashes', '-r', requirements]);
	return target;
};
