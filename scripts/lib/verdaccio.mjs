/** Installs the pinned verdaccio, an npm registry, into the cache, once per lock file, and starts it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { installCopy, node } from './deps.mjs';
import { npm } from './npm.mjs';
import { readJson, root, shortHash } from './paths.mjs';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

const source = join(root, 'playground', 'verdaccio');

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} its executable script
 */
export const ensureVerdaccio = async (log) => {
	/** @type {string} */
	const version = readJson(join(source, 'package.json')).dependencies.verdaccio;
	const key = `verdaccio-${version}-${shortHash(readFileSync(join(source, 'package-lock.json')))}`;
	return await log.step(`verdaccio ${version}`, async (progress) => {
		const folder = await cached(
			key,
			async (target) => await installCopy(source, target, progress),
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is installing it`),
			},
		);
		return join(folder, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
	});
};

/**
 * @param {string} storage
 * @returns {string} verdaccio's settings as JSON, a subset of YAML. No uplinks: only published packages exist.
 */
const settings = (storage) =>
	JSON.stringify({
		storage,
		uplinks: {},
		packages: { '**': { access: '$all', publish: '$all' } },
		web: { enable: false },
		// The pretty format is written by a separate thread, which loses the last lines when the server is ended.
		log: { type: 'stdout', format: 'json', level: 'http' },
	});

/**
 * Starts an empty registry on 127.0.0.1 without access control.
 *
 * @param {string} bin from `ensureVerdaccio`
 * @param {string} folder an empty one, for its settings, packages and log
 * @returns {Promise<import('./types').Verdaccio>}
 */
export const startVerdaccio = async (bin, folder) => {
	const config = join(folder, 'config.yaml');
	const storage = join(folder, 'storage');
	mkdirSync(storage);
	writeFileSync(config, settings(storage));
	const address = `127.0.0.1:${await freePort()}`;
	const url = `http://${address}`;
	const service = startService('verdaccio', node, [bin, '--listen', address, '--config', config], {
		cwd: folder,
		// The user's own verdaccio settings would change the packages' addresses or folder.
		env: Object.fromEntries(
			Object.entries(process.env).filter(([name]) => !name.startsWith('VERDACCIO_')),
		),
		logFile: join(folder, 'verdaccio.log'),
	});
	await waitForService(service, `${url}/-/ping`, { timeoutMs: 300_000, lines: 20 });
	return {
		url,
		service,
		publish: async (tarball) => {
			// npm refuses to publish without a token; verdaccio treats an unknown token as anonymous.
			const access = [
				`--registry=${url}/`,
				`--//${address}/:_authToken=anybody`,
				'--noproxy=127.0.0.1',
			];
			await npm(['publish', tarball, '--ignore-scripts', '--loglevel=error', ...access], {
				cwd: folder,
			});
		},
		stop: async () => await service.stop(3000),
	};
};
