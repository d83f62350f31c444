/** What every benchmark in the real n8n needs. */
import { ensureBuild, stageBuild } from './build.mjs';
import { ensureDependencies } from './deps.mjs';
import { ensureLlamaServer } from './llama-server.mjs';
import { allOrEveryFailure } from './main.mjs';
import { ensureN8n } from './n8n-install.mjs';

/**
 * @param {import('./types').Log} log
 * @returns {Promise<{ install: import('./types').N8nInstall, nodes: string, binary: string }>} n8n, the built package
 *   outside the clone, llama-server
 */
export const ensureRealParts = async (log) => {
	const dependencies = ensureDependencies(log);
	const [, install, nodes, binary] = await allOrEveryFailure([
		dependencies,
		ensureN8n(log, { nodeReady: dependencies }),
		(async () => {
			await dependencies;
			return await stageBuild(await ensureBuild(log));
		})(),
		ensureLlamaServer(log, { router: true }),
	]);
	return { install, nodes, binary };
};
