/**
 * `npm run test:e2e`: the tests against the real n8n and the real llama-server. Takes arguments for jest:
 * `npm run test:e2e -- agent`. `N8N_PLAYGROUND=2.20` runs them on the oldest supported n8n.
 *
 * Suites about llama-server also run with the llama-server of the Python package, another version of llama.cpp.
 * `LOCAL_LLAMA_SERVER=compiled` or `wheel` selects one.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, stageBuild } from './lib/build.mjs';
import { cacheDir, withLock } from './lib/cache.mjs';
import { CHROMIUM_ARGS, findChromium } from './lib/chromium.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { ensureLlamaServer } from './lib/llama-server.mjs';
import { ensureLlamaWheel } from './lib/llama-wheel.mjs';
import { createLog } from './lib/log.mjs';
import { allOrEveryFailure, main } from './lib/main.mjs';
import { ensureMiniLm } from './lib/minilm.mjs';
import { ensureSmolLm2, ensureTinyModel } from './lib/model.mjs';
import { ensureN8n } from './lib/n8n-install.mjs';
import { optionalPart } from './lib/optional-part.mjs';
import { playgroundData, root, shortHash } from './lib/paths.mjs';
import { ensurePostgres } from './lib/postgres.mjs';
import { findRedis } from './lib/redis.mjs';
import { runChecks, runJest } from './lib/tally.mjs';
import { ensureVerdaccio } from './lib/verdaccio.mjs';

/** One after the other. `server` is the value of `LOCAL_LLAMA_SERVER`, `suites` a selection of jest.e2e.config.cjs. */
const RUNS = [
	{ name: 'end-to-end tests', server: 'compiled', suites: 'together' },
	{ name: 'end-to-end tests that run alone', server: 'compiled', suites: 'alone' },
	{
		name: 'end-to-end tests on the llama-server of the Python package',
		server: 'wheel',
		suites: 'on both',
	},
];

const log = createLog();

const chosenRuns = () => {
	const chosen = process.env.LOCAL_LLAMA_SERVER || undefined;
	const runs = RUNS.filter(({ server }) => chosen === undefined || server === chosen);
	if (runs.length === 0)
		throw new Error(`LOCAL_LLAMA_SERVER=${chosen} is neither compiled nor wheel`);
	return runs;
};

/** @returns {Promise<Omit<import('./lib/types').E2eParts, 'work' | 'transcripts'>>} */
const prepare = async () => {
	const dependencies = ensureDependencies(log);
	const built = async () => {
		await dependencies;
		return await stageBuild(await ensureBuild(log));
	};
	const [
		,
		n8n,
		nodes,
		llamaServer,
		wheel,
		tinyModel,
		smolLm2,
		verdaccio,
		chromium,
		redis,
		miniLm,
		postgres,
	] = await allOrEveryFailure([
		dependencies,
		ensureN8n(log, { nodeReady: dependencies }),
		built(),
		ensureLlamaServer(log, { router: true }),
		optionalPart(
			log,
			async () => await log.step('llama-server of the Python package', ensureLlamaWheel),
		),
		ensureTinyModel(log),
		optionalPart(log, async () => await ensureSmolLm2(log)),
		optionalPart(log, async () => await ensureVerdaccio(log)),
		optionalPart(log, findChromium),
		optionalPart(log, findRedis),
		optionalPart(log, async () => await ensureMiniLm(log)),
		optionalPart(log, async () => await ensurePostgres(log)),
	]);
	return {
		n8n,
		nodes,
		llamaServer,
		llamaServerWheel: wheel.file,
		llamaServerWheelProblem: wheel.problem,
		tinyModel,
		smolLm2: smolLm2.file,
		smolLm2Problem: smolLm2.problem,
		verdaccio: verdaccio.file,
		verdaccioProblem: verdaccio.problem,
		miniLm: miniLm.file,
		miniLmProblem: miniLm.problem,
		postgres: postgres.file,
		postgresProblem: postgres.problem,
		redis: redis.file,
		redisProblem: redis.problem,
		chromium: chromium.file,
		chromiumProblem: chromium.problem,
		chromiumArgs: CHROMIUM_ARGS,
	};
};

await main(async () => {
	const runs = chosenRuns();
	// Outside the clone: n8n's lint command would read all scripts in n8n's folders.
	const work = join(cacheDir(), 'e2e', shortHash(root));
	const transcripts = `${work}-transcripts`;
	mkdirSync(playgroundData, { recursive: true });
	return await withLock(
		join(playgroundData, 'e2e.lock'),
		async () => {
			for (const folder of [work, transcripts]) rmSync(folder, { recursive: true, force: true });
			mkdirSync(work, { recursive: true });
			const partsFile = join(work, 'parts.json');
			let tests = 0;
			const checks = [
				{
					name: 'real parts',
					counts: false,
					check: async () =>
						writeFileSync(
							partsFile,
							JSON.stringify({ ...(await prepare()), work, transcripts }, null, '\t'),
						),
				},
				...runs.map(({ name, server, suites }) => ({
					name,
					check: async () => {
						// The arguments may select suites of one run only.
						const args = ['--config=jest.e2e.config.cjs', '--passWithNoTests'];
						const tally = await runJest(log, [...args, ...process.argv.slice(2)], {
							LOCAL_LLAMA_E2E: partsFile,
							LOCAL_LLAMA_SERVER: server,
							LOCAL_LLAMA_SUITES: suites,
						});
						tests += tally.passed + tally.skipped.length;
						if (existsSync(transcripts))
							log.line(`  Transcripts of streamed chats: ${transcripts}`);
						return tally;
					},
				})),
				{
					name: 'suites found',
					counts: false,
					check: async () => {
						if (tests === 0) throw new Error(`No suite matches ${process.argv.slice(2).join(' ')}`);
					},
				},
			];
			const code = await runChecks(log, checks, `Logs of the servers: ${work}`);
			if (code === 0) rmSync(work, { recursive: true, force: true });
			return code;
		},
		(holder) => {
			throw new Error(
				`The end-to-end tests run already in this clone (process ${holder ?? 'unknown'})`,
			);
		},
	);
});
