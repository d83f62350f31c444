/** Installs Portkey's gateway from npm into the cache, and starts it. */
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { node } from './deps.mjs';
import { npm } from './npm.mjs';
import { root } from './paths.mjs';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

const PACKAGE = '@portkey-ai/gateway';
const VERSION = '1.15.2';
const MUTABLE_HEADERS = join(root, 'scripts', 'lib', 'mutable-headers.mjs');

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} its script
 */
export const ensurePortkey = async (log) =>
	await log.step(`Portkey's gateway ${VERSION}`, async (progress) => {
		const folder = await cached(
			`portkey-${VERSION}`,
			async (target) => {
				progress('npm installs it');
				const install = ['install', '--prefix', target, '--ignore-scripts', '--no-audit'];
				const quiet = ['--no-fund', '--loglevel=error'];
				await npm([...install, ...quiet, `${PACKAGE}@${VERSION}`], { cwd: target });
			},
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is installing it`),
			},
		);
		return join(folder, 'node_modules', PACKAGE, 'build', 'start-server.js');
	});

/**
 * @param {string} script from `ensurePortkey`
 * @param {{ logFile?: string }} [options]
 * @returns {Promise<import('./types').StartedServer>}
 */
export const startPortkey = async (script, { logFile } = {}) => {
	const port = await freePort();
	const args = ['--import', MUTABLE_HEADERS, script, `--port=${port}`, '--headless'];
	const service = startService('Portkey', node, args, { logFile });
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, url, { timeoutMs: 120_000, lines: 20 });
	return { url, service, stop: async () => await service.stop(3000) };
};
