/** Provides the real parts of the end-to-end tests, and runs their suites. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, stageBuild } from '../package/build.mjs';
import { cacheDir, withLock } from '../system/cache.mjs';
import { ensureDependencies } from '../system/dependencies.mjs';
import { ensureLlamaServer } from '../models/llama-server.mjs';
import { ensureLlamaWheel } from '../models/llama-wheel.mjs';
import { allOrEveryFailure } from '../system/script-main.mjs';
import { ensureSmolLm2, NOISE, NOISE_BERT } from '../models/model.mjs';
import { ensureN8n } from '../n8n/n8n-install.mjs';
import { root, shortHash } from '../system/paths.mjs';
import { findOnPath } from '../system/processes.mjs';
import { runJest } from './test-summary.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** Lets Chromium run as root in a container, without background network traffic. */
const CHROMIUM_ARGS = [
	...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
	...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * @param {string[]} names of one program
 * @param {string} variable with the path of another one
 * @param {string} debianPackage
 * @returns {string} its file
 */
const findProgram = (names, variable, debianPackage) => {
	const configured = process.env[variable];
	if (configured && !existsSync(configured))
		throw new Error(`${variable} names ${configured}, which does not exist`);
	const [found = configured] = configured
		? [configured]
		: names.flatMap((name) => findOnPath(name) ?? []);
	if (found) return found;
	throw new Error(
		`${names[0]} was not found: apt-get install -y ${debianPackage} (or name one with ${variable})`,
	);
};

/**
 * @param {import('../types').Log} log
 * @returns {Promise<{ n8n: import('../types').N8nInstall, nodes: string }>} n8n, and the built package outside the clone
 */
export const ensureN8nWithNodes = async (log) => {
	const dependencies = ensureDependencies(log);
	const built = async () => {
		await dependencies;
		await ensureBuild(log);
		return stageBuild();
	};
	const [n8n, nodes] = await allOrEveryFailure([
		ensureN8n(log, { nodeReady: dependencies }),
		built(),
	]);
	return { n8n, nodes };
};

/**
 * Gets all parts in parallel; one error names all missing ones.
 *
 * @param {import('../types').Log} log
 * @returns {Promise<Omit<import('../types').E2eParts, 'work'>>} with the llama-server of the Python package, or the
 *   compiled one, depending on `LOCAL_LLAMA_SERVER`
 */
export const ensureGateParts = async (log) => {
	const isCompiled = process.env.LOCAL_LLAMA_SERVER === 'compiled';
	const [both, llamaServer, smolLm2, chromium, redis] = await allOrEveryFailure([
		ensureN8nWithNodes(log),
		isCompiled
			? ensureLlamaServer(log, { router: true })
			: log.step('llama-server of the Python package', ensureLlamaWheel),
		ensureSmolLm2(log),
		(async () => findProgram(BROWSERS, 'CHROMIUM_BIN', 'chromium'))(),
		(async () => findProgram(['redis-server', 'valkey-server'], 'REDIS_BIN', 'redis-server'))(),
	]);
	const models = { noise: NOISE, noiseBert: NOISE_BERT, smolLm2 };
	return { ...both, ...models, llamaServer, redis, chromium, chromiumArgs: CHROMIUM_ARGS };
};

/**
 * Runs `work` with an empty folder for the files of the tests, while no other run in this clone uses it. The folder is
 * kept if something failed.
 *
 * @param {'e2e' | 'test-servers'} name
 * @param {(folder: string) => Promise<number>} work returns the exit code
 * @returns {Promise<number>}
 */
export const withWorkFolder = async (name, work) => {
	// Outside the clone: n8n's lint command would read all scripts in n8n's folders.
	const folder = join(cacheDir(), name, shortHash(root));
	mkdirSync(join(folder, '..'), { recursive: true });
	const busy = (/** @type {number} */ holder) => {
		throw new Error(`These tests run already in this clone (process ${holder})`);
	};
	const inside = async () => {
		rmSync(folder, { recursive: true, force: true });
		mkdirSync(folder);
		const code = await work(folder);
		if (code === 0) rmSync(folder, { recursive: true, force: true });
		return code;
	};
	return await withLock(`${folder}.lock`, inside, busy);
};

/**
 * @param {import('../types').Log} log
 * @param {string} config jest's
 * @param {import('../types').E2eParts} parts
 * @returns {Promise<import('../types').Tally>}
 */
export const runSuites = async (log, config, parts) => {
	const file = join(parts.work, 'parts.json');
	writeFileSync(file, JSON.stringify(parts, null, '\t'));
	const args = [`--config=${config}`, ...process.argv.slice(2)];
	return await runJest(log, args, { LOCAL_LLAMA_E2E: file });
};
