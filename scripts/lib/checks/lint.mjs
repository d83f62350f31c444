/** ESLint with n8n's rules for what is shipped, and Oxlint with the rules of `.oxlintrc.json` for that and the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolEnvironment } from '../system/dependencies.mjs';
import { root } from '../system/paths.mjs';
import { run } from '../system/processes.mjs';

/** Folders of what is shipped. */
export const SOURCES = ['lib', 'nodes', 'credentials'];

/** A comment that switches a rule off passes the lint, but not n8n's package check. */
const refuseExceptions = () => {
	const names = SOURCES.flatMap((folder) =>
		readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name))),
	);
	const files = names.filter((name) => name.endsWith('.ts'));
	const exceptions = files.filter((name) =>
		readFileSync(join(root, name), 'utf8').includes('eslint-disable'),
	);
	if (exceptions.length > 0)
		throw new Error(`n8n accepts no eslint-disable: ${exceptions.join(', ')}`);
};

/** @param {string[]} options for ESLint and Oxlint, such as `--fix` */
export const lint = async (options = []) => {
	refuseExceptions();
	const env = { ...toolEnvironment(), ESLINT_FLAGS: 'unstable_config_lookup_from_file' };
	const tool = async (/** @type {string} */ name, /** @type {string[]} */ args) =>
		await run(join(root, 'node_modules', '.bin', name), [...args, ...options], { cwd: root, env });
	await tool('n8n-node', ['lint']);
	await tool('oxlint', [...SOURCES, 'test']);
};
