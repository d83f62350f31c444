/** What `npm run test:e2e` and `npm run test:full` have in common: the real parts, and jest with them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, stageBuild } from './build.mjs';
import { cacheDir, withLock } from './cache.mjs';
import { CHROMIUM_ARGS, findChromium } from './chromium.mjs';
import { ensureDependencies } from './deps.mjs';
import { ensureLlamaServer } from './llama-server.mjs';
import { ensureLlamaWheel } from './llama-wheel.mjs';
import { allOrEveryFailure } from './main.mjs';
import { ensureSmolLm2, ensureTinyModel } from './model.mjs';
import { ensureN8n } from './n8n-install.mjs';
import { playgroundData, root, shortHash } from './paths.mjs';
import { findRedis } from './redis.mjs';
import { runJest } from './tally.mjs';

/** @typedef {Omit<import('./types').E2eParts, 'work'>} Parts */

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} the llama-server out of the Python package, or what `LOCAL_LLAMA_SERVER` says: `compiled`
 */
const chosenLlamaServer = async (log) => {
	const chosen = process.env.LOCAL_LLAMA_SERVER || 'wheel';
	if (chosen === 'compiled') return await ensureLlamaServer(log, { router: true });
	if (chosen === 'wheel')
		return await log.step('llama-server of the Python package', ensureLlamaWheel);
	throw new Error(`LOCAL_LLAMA_SERVER=${chosen} is neither compiled nor wheel`);
};

/**
 * Gets all parts at once; what is missing is named together.
 *
 * @param {import('./types').Log} log
 * @returns {Promise<Parts>}
 */
export const ensureGateParts = async (log) => {
	const dependencies = ensureDependencies(log);
	const built = async () => {
		await dependencies;
		return await stageBuild(await ensureBuild(log));
	};
	const [n8n, nodes, llamaServer, tinyModel, smolLm2, chromium, redis] = await allOrEveryFailure([
		ensureN8n(log, { nodeReady: dependencies }),
		built(),
		chosenLlamaServer(log),
		ensureTinyModel(log),
		ensureSmolLm2(log),
		(async () => findChromium())(),
		(async () => findRedis())(),
	]);
	return {
		...{ n8n, nodes, llamaServer, tinyModel, smolLm2, chromium, redis },
		chromiumArgs: CHROMIUM_ARGS,
	};
};

/**
 * Runs `work` with an empty folder for the files of the tests, while no other run in this clone uses it. The folder is
 * kept where something failed.
 *
 * @param {(folder: string) => Promise<number>} work returns the exit code
 * @returns {Promise<number>}
 */
export const withWorkFolder = async (work) => {
	// Outside the clone: n8n's lint command would read all scripts in n8n's folders.
	const folder = join(cacheDir(), 'e2e', shortHash(root));
	mkdirSync(playgroundData, { recursive: true });
	return await withLock(
		join(playgroundData, 'e2e.lock'),
		async () => {
			rmSync(folder, { recursive: true, force: true });
			mkdirSync(folder, { recursive: true });
			const code = await work(folder);
			if (code === 0) rmSync(folder, { recursive: true, force: true });
			return code;
		},
		(holder) => {
			throw new Error(
				`The end-to-end tests run already in this clone (process ${holder ?? 'unknown'})`,
			);
		},
	);
};

/**
 * @param {import('./types').Log} log
 * @param {string} config jest's
 * @param {import('./types').E2eParts} parts
 * @returns {Promise<import('./types').Tally>}
 */
export const runSuites = async (log, config, parts) => {
	const file = join(parts.work, 'parts.json');
	writeFileSync(file, JSON.stringify(parts, null, '\t'));
	return await runJest(log, [`--config=${config}`, ...process.argv.slice(2)], {
		LOCAL_LLAMA_E2E: file,
	});
};
