/** ESLint with n8n's rules, those of `test/eslint.config.mjs` for tests, and those of `eslint.regexp.config.mjs`. */
import { join } from 'node:path';
import { toolEnvironment } from './dependencies.mjs';
import { root } from './paths.mjs';
import { run } from './processes.mjs';

/** Folders of what is shipped. */
export const SOURCES = ['lib', 'nodes', 'credentials'];

/** @param {string[]} options for ESLint, such as `--fix` */
export const lint = async (options = []) => {
	const env = { ...toolEnvironment(), ESLINT_FLAGS: 'unstable_config_lookup_from_file' };
	const tool = async (/** @type {string} */ name, /** @type {string[]} */ args) =>
		await run(join(root, 'node_modules', '.bin', name), [...args, ...options], { cwd: root, env });
	await tool('n8n-node', ['lint']);
	await tool('eslint', ['--config', 'eslint.regexp.config.mjs', ...SOURCES]);
};
