/** Parts of the package that a contestant runs without n8n. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Bundles modules of a clone from its source, as its build does, and loads them.
 *
 * @param {string} clone
 * @param {readonly string[]} modules paths in `lib`
 * @returns {Promise<any>} what they export, to be typed with `typeof import(…)` of this clone's modules
 */
export const loadPackageParts = async (clone, modules) => {
	const requireFromClone = createRequire(join(clone, 'package.json'));
	// In the same folder as the clone's libraries, so that it finds them.
	const outfile = join(clone, 'node_modules', '.cache', 'bench', `parts-${process.pid}.cjs`);
	await requireFromClone('esbuild').build({
		stdin: {
			contents: modules.map((path) => `export * from './lib/${path}';`).join('\n'),
			resolveDir: clone,
			loader: 'ts',
		},
		outfile,
		bundle: true,
		platform: 'node',
		target: 'node22',
		minify: true,
		external: ['n8n-workflow', '@n8n/*'],
	});
	return requireFromClone(outfile);
};

/** Settings of chats that every bench of the chat path uses. */
export const CHAT_SETTINGS = {
	thinkingHistory: /** @type {const} */ ('toolTurns'),
	showThinking: false,
	timeouts: {},
	retries: 0,
};
