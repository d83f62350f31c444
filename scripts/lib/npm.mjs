/** Runs npm so that a lock file installs the same way everywhere, independent of the user's npm settings. */
import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { root } from './paths.mjs';
import { findOnPath, run } from './proc.mjs';

const ownBin = join(root, 'node_modules', '.bin');

/** npm exports the settings of the project it was called in; they must not reach another project. */
const PROJECT_SETTINGS = new RegExp(
	[
		'^npm_(package_|lifecycle_|command$|config_(ignore_scripts|legacy_peer_deps|loglevel|local_prefix|prefix|global',
		'omit|include|only|production|dev|engine_strict|package_lock|install_strategy|nodedir|before|min_release_age)$)',
	].join('|'),
	'i',
);

/**
 * @param {NodeJS.ProcessEnv} [base]
 * @returns {NodeJS.ProcessEnv}
 */
export const npmEnvironment = (base = process.env) => ({
	...Object.fromEntries(Object.entries(base).filter(([name]) => !PROJECT_SETTINGS.test(name))),
	// Lock files pin versions by hash. A user's minimum age or date for packages would make npm refuse them.
	npm_config_before: 'null',
	npm_config_min_release_age: '0',
	npm_config_update_notifier: 'false',
	// The default of two is too few for thousands of packages over a bad connection.
	npm_config_fetch_retries: '5',
	NODE_ENV: 'development',
});

/**
 * The Node that runs npm. Not the one in this clone's node_modules, which `npm ci` deletes while it runs.
 *
 * @returns {string}
 */
const nodeForNpm = () => {
	const outside = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ownBin);
	const candidates = [process.env.npm_node_execpath, process.execPath].filter(
		(file) => file && !file.startsWith(root) && existsSync(file),
	);
	return candidates[0] ?? findOnPath('node', outside.join(delimiter)) ?? process.execPath;
};

/** @returns {[string, ...string[]]} the command that runs npm, and its first arguments */
const npmCommand = () => {
	const called = process.env.npm_execpath;
	// Under yarn or pnpm the variable points to them.
	if (called && basename(called) === 'npm-cli.js' && existsSync(called))
		return [nodeForNpm(), called];
	return ['npm'];
};

/**
 * @param {string[]} args
 * @param {import('./types').RunOptions} [options]
 */
export const npm = async (args, options = {}) => {
	const [command, ...first] = npmCommand();
	return await run(command, [...first, ...args], { ...options, env: npmEnvironment(options.env) });
};

/** Arguments of every install from a lock file. Install scripts never run; the two that are needed are run explicitly. */
export const INSTALL_ARGS = [
	'--ignore-scripts',
	'--legacy-peer-deps',
	'--include=dev',
	'--include=optional',
	'--engine-strict=false',
	'--package-lock=true',
	'--install-strategy=hoisted',
	'--prefer-offline',
	'--no-audit',
	'--no-fund',
	'--loglevel=error',
];
