/**
 * `npm run test:servers`: the package's own clients against real model servers, without n8n. Takes arguments for jest:
 * `npm run test:servers -- ollama`. test/real-servers/support/servers.ts explains how to get each server; missing
 * ones are named, and their tests count as skipped.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from './lib/system/dependencies.mjs';
import { withWorkFolder } from './lib/checks/e2e.mjs';
import { ensureLlamaServer } from './lib/models/llama-server.mjs';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { ensureSmolLm2, NOISE_BERT } from './lib/models/model.mjs';
import { runChecks, runJest } from './lib/checks/test-summary.mjs';

const log = createLog();
const jestArgs = process.argv.slice(2);

/** @param {Promise<string>} part @returns {Promise<{ file?: string, problem?: string }>} */
const optional = async (part) => {
	try {
		return { file: await part };
	} catch (error) {
		return { problem: error instanceof Error ? error.message : String(error) };
	}
};

/** @param {string} work @returns {Promise<import('./lib/types').RealServerParts>} */
const prepare = async (work) => {
	await ensureDependencies(log);
	// Compiling one takes ten minutes, which the other suites can do without.
	const router = jestArgs.length === 0 || /llama|lite/.test(jestArgs.join(' '));
	const llamaServer = await optional(ensureLlamaServer(log, { router }));
	const smolLm2 = await optional(ensureSmolLm2(log));
	return { llamaServer, smolLm2, noiseBert: NOISE_BERT, work };
};

/** @param {string} work @returns {Promise<number>} */
const test = async (work) => {
	const file = join(work, 'parts.json');
	writeFileSync(file, JSON.stringify(await prepare(work)));
	const args = ['--config=test/real-servers/jest.config.cjs', '--runInBand', ...jestArgs];
	const check = async () => await runJest(log, args, { LOCAL_LLAMA_SERVERS: file });
	return await runChecks(log, [{ name: 'real servers', check }], `Server logs: ${work}`);
};

await main(async () => await withWorkFolder('test-servers', test));
