/** What the benchmarks in the real n8n need. */
import { ensureN8nWithNodes } from '../../scripts/lib/checks/e2e.mjs';
import { ensureLlamaServer } from '../../scripts/lib/models/llama-server.mjs';
import { allOrEveryFailure } from '../../scripts/lib/system/script-main.mjs';

/**
 * @param {import('../../scripts/lib/types').Log} log
 * @returns {Promise<{ install: import('../../scripts/lib/types').N8nInstall, nodes: string, binary: string }>} n8n, the
 *   built package outside the clone, llama-server
 */
export const ensureRealParts = async (log) => {
	const [{ n8n: install, nodes }, binary] = await allOrEveryFailure([
		ensureN8nWithNodes(log),
		ensureLlamaServer(log),
	]);
	return { install, nodes, binary };
};
