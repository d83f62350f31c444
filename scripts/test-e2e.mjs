/**
 * `npm run test:e2e`: the tests against the real n8n and the real llama-server. Takes arguments for jest:
 * `npm run test:e2e -- agent`. `N8N_PLAYGROUND=2.20` runs them on the oldest supported n8n.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, stageBuild } from './lib/build.mjs';
import { cacheDir, withLock } from './lib/cache.mjs';
import { CHROMIUM_ARGS, findChromium } from './lib/chromium.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { ensureLlamaServer } from './lib/llama-server.mjs';
import { createLog } from './lib/log.mjs';
import { allOrEveryFailure, main } from './lib/main.mjs';
import { ensureSmolLm2, ensureTinyModel } from './lib/model.mjs';
import { ensureN8n } from './lib/n8n-install.mjs';
import { playgroundData, root, shortHash } from './lib/paths.mjs';
import { findRedis } from './lib/redis.mjs';
import { runChecks, runJest } from './lib/tally.mjs';
import { ensureVerdaccio } from './lib/verdaccio.mjs';

const log = createLog();

/**
 * A part that only some tests need: without it those fail, with the reason, and the others run.
 *
 * @param {() => Promise<string> | string} find
 * @returns {Promise<{ file?: string, problem?: string }>}
 */
const optional = async (find) => {
	try {
		return { file: await find() };
	} catch (error) {
		const problem = error instanceof Error ? error.message : String(error);
		log.line(`  Warning: ${problem}`);
		return { problem };
	}
};

/** @returns {Promise<Omit<import('./lib/types').E2eParts, 'work' | 'transcripts'>>} */
const prepare = async () => {
	const dependencies = ensureDependencies(log);
	const built = async () => {
		await dependencies;
		return await stageBuild(await ensureBuild(log));
	};
	const [, n8n, nodes, llamaServer, tinyModel, smolLm2, verdaccio, chromium, redis] = await allOrEveryFailure([
		dependencies,
		ensureN8n(log, { nodeReady: dependencies }),
		built(),
		ensureLlamaServer(log, { router: true }),
		ensureTinyModel(log),
		optional(async () => await ensureSmolLm2(log)),
		optional(async () => await ensureVerdaccio(log)),
		optional(findChromium),
		optional(findRedis),
	]);
	return {
		n8n,
		nodes,
		llamaServer,
		tinyModel,
		smolLm2: smolLm2.file,
		smolLm2Problem: smolLm2.problem,
		verdaccio: verdaccio.file,
		verdaccioProblem: verdaccio.problem,
		redis: redis.file,
		redisProblem: redis.problem,
		chromium: chromium.file,
		chromiumProblem: chromium.problem,
		chromiumArgs: CHROMIUM_ARGS,
	};
};

await main(async () => {
	// Outside the clone: n8n's folders are full of scripts, and n8n's lint command reads every one in the clone.
	const work = join(cacheDir(), 'e2e', shortHash(root));
	const transcripts = `${work}-transcripts`;
	mkdirSync(playgroundData, { recursive: true });
	return await withLock(
		join(playgroundData, 'e2e.lock'),
		async () => {
			for (const folder of [work, transcripts]) rmSync(folder, { recursive: true, force: true });
			mkdirSync(work, { recursive: true });
			const partsFile = join(work, 'parts.json');
			const checks = [
				{
					name: 'real parts',
					counts: false,
					check: async () =>
						writeFileSync(partsFile, JSON.stringify({ ...(await prepare()), work, transcripts }, null, '\t')),
				},
				{
					name: 'end-to-end tests',
					check: async () => {
						const args = ['--config=jest.e2e.config.cjs', '--runInBand', ...process.argv.slice(2)];
						const tally = await runJest(log, args, { LOCAL_LLAMA_E2E: partsFile });
						if (existsSync(transcripts)) log.line(`  Transcripts of streamed chats: ${transcripts}`);
						return tally;
					},
				},
			];
			const code = await runChecks(log, checks, `Logs of the servers: ${work}`);
			if (code === 0) rmSync(work, { recursive: true, force: true });
			return code;
		},
		(holder) => {
			throw new Error(`The end-to-end tests run already in this clone (process ${holder ?? 'unknown'})`);
		},
	);
});
