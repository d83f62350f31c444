/**
 * `npm run test:e2e`: the gate against the real n8n, started once for all suites. Takes arguments for jest:
 * `npm run test:e2e -- editor`. `LOCAL_LLAMA_SERVER=compiled` takes the compiled llama-server, `LOCAL_LLAMA_N8N=2.20` the
 * oldest supported n8n, `N8N_DEFAULTS=3` what n8n 3 has by default, `LOCAL_LLAMA_PACKAGE=<file>` a packed build other than
 * this one.
 */
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ensureGateParts, runSuites, withWorkFolder } from './lib/checks/e2e.mjs';
import { npm } from './lib/system/dependencies.mjs';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { copyPreparedUserFolder, startN8n, TEST_LOGIN } from './lib/n8n/n8n.mjs';
import { pack } from './lib/package/package-check.mjs';
import { runChecks } from './lib/checks/test-summary.mjs';

const log = createLog();

/**
 * Installs the packed package like a user, in both ways: into the folder of custom nodes (types `CUSTOM.…`), and into the
 * folder of packages installed in n8n's interface (types `n8n-nodes-local-llama.…`).
 *
 * @param {string} work
 * @param {string} userFolder
 * @returns {Promise<number>} bytes of the packed package
 */
const installPacked = async (work, userFolder) => {
	const packed = join(work, 'packed');
	mkdirSync(packed);
	const tarball = process.env.LOCAL_LLAMA_PACKAGE ?? join(packed, (await pack(packed)).filename);
	const name = basename(tarball);
	for (const folder of ['custom', 'nodes'].map((each) => join(userFolder, '.n8n', each))) {
		mkdirSync(folder, { recursive: true });
		const own = join(folder, name);
		copyFileSync(tarball, own);
		await npm(['install', '--no-audit', '--no-fund', own], { cwd: folder });
	}
	return statSync(tarball).size;
};

/**
 * @param {import('./lib/types').E2eParts} parts
 * @returns {Promise<{ shared: import('./lib/types').SharedN8n, stop: () => Promise<void> }>}
 */
const startSharedN8n = async ({ n8n, work }) => {
	const userFolder = join(work, 'n8n', 'home');
	const readable = join(work, 'readable');
	const logFile = join(work, 'n8n', 'n8n.log');
	for (const folder of [readable, join(work, 'n8n')]) mkdirSync(folder);
	await copyPreparedUserFolder(n8n, userFolder);
	const packedSize = await installPacked(work, userFolder);
	const env = {
		N8N_RESTRICT_FILE_ACCESS_TO: readable,
		// Loads what is installed as by the interface, without asking n8n's servers for verified packages.
		N8N_COMMUNITY_PACKAGES_ENABLED: 'true',
		N8N_VERIFIED_PACKAGES_ENABLED: 'false',
	};
	const server = await startN8n(n8n, { userFolder, logFile, env });
	await server.login(TEST_LOGIN);
	const { url, stop } = server;
	const shared = { url, session: server.session(), userFolder, logFile, packedSize, readable };
	return { shared, stop };
};

/** @param {string} work @returns {Promise<number>} */
const runGate = async (work) => {
	/** @type {import('./lib/types').E2eParts | undefined} */
	let parts;
	let stop = async () => {};
	const checks = [
		{
			name: 'real parts',
			counts: false,
			check: async () => {
				const found = { ...(await ensureGateParts(log)), work };
				const started = await log.step('start of n8n', async () => await startSharedN8n(found));
				stop = started.stop;
				parts = { ...found, shared: started.shared };
			},
		},
		{
			name: 'end-to-end tests',
			check: async () => {
				if (parts !== undefined) return await runSuites(log, 'test/e2e/jest.config.cjs', parts);
			},
		},
	];
	try {
		return await runChecks(log, checks, `Server logs: ${work}`);
	} finally {
		await stop();
	}
};

await main(async () => await withWorkFolder('e2e', runGate));
