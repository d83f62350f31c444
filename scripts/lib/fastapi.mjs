/** FastAPI and uvicorn: most self-written model servers use them. */
import { delimiter, join } from 'node:path';
import { cached } from './cache.mjs';
import { root, shortHash } from './paths.mjs';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';
import { findPython, installPackages } from './python.mjs';
import { waitForService } from './wait.mjs';

const PACKAGES = ['fastapi==0.165.0', 'uvicorn==0.54.0'];
const SERVER = join(root, 'test', 'real-servers', 'support', 'minimal_server.py');

/**
 * @param {import('./types').Log} log
 * @returns {Promise<{ python: string, packages: string }>}
 * @throws where Python or the package registry is missing, with what to do
 */
export const ensureFastapi = async (log) =>
	await log.step('FastAPI', async (progress) => {
		const found = await findPython();
		if ('problem' in found) throw new Error(found.problem);
		const folder = await cached(
			`fastapi-${shortHash(...PACKAGES, found.python)}`,
			async (target) => {
				progress('downloading');
				await installPackages(found.python, join(target, 'packages'), PACKAGES);
			},
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`),
			},
		);
		return { python: found.python, packages: join(folder, 'packages') };
	});

/**
 * Starts test/real-servers/support/minimal_server.py on 127.0.0.1.
 *
 * @param {{ python: string, packages: string }} fastapi
 * @param {{ logFile?: string }} [options]
 * @returns {Promise<import('./types').StartedServer>}
 */
export const startMinimalServer = async ({ python, packages }, { logFile } = {}) => {
	const port = await freePort();
	const { PYTHONPATH: given } = process.env;
	const service = startService('minimal server', python, [SERVER, String(port)], {
		env: {
			...process.env,
			PYTHONPATH: [packages, ...(given ? [given] : [])].join(delimiter),
			PYTHONDONTWRITEBYTECODE: '1',
		},
		logFile,
	});
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}/ready`, { timeoutMs: 60_000, lines: 20 });
	return { url, service, stop: async () => await service.stop(3000) };
};
