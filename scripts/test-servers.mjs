/**
 * `npm run test:servers`: the package's own clients against real model servers, without n8n: llama-server as a router with
 * three models, llama-server with pictures, Ollama, whisper.cpp, a FastAPI server, and those that are
 * Python packages (python-servers.mjs). Takes arguments for jest: `npm run test:servers -- ollama`.
 *
 * The servers are built or downloaded once and kept outside the clone. Ollama takes 5 to 15 minutes, whisper.cpp 3;
 * the Python packages download 5 GB. If the arguments name suites, only their servers are
 * prepared. Missing servers are named, and their tests counted as skipped.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, withLock } from './lib/cache.mjs';
import { ensureDependencies } from './lib/deps.mjs';
import { ensureFastapi } from './lib/fastapi.mjs';
import { ensureMiniLmFolders } from './lib/hugging-face.mjs';
import { ensureLlamaServer } from './lib/llama-server.mjs';
import { ensureLlamaWheel } from './lib/llama-wheel.mjs';
import { createLog } from './lib/log.mjs';
import { main } from './lib/main.mjs';
import { ensureMiniLm } from './lib/minilm.mjs';
import { ensureSmolLm2 } from './lib/model.mjs';
import { ensureOllama } from './lib/ollama.mjs';
import { optionalPart } from './lib/optional-part.mjs';
import { playgroundData, root, shortHash } from './lib/paths.mjs';
import { ensurePythonServer, PYTHON_SERVERS } from './lib/python-servers.mjs';
import { runChecks, runJest } from './lib/tally.mjs';
import { ensureWhisperModel, ensureWhisperServer } from './lib/whisper.mjs';

const log = createLog();

/** Names of suites in the arguments; the others are options of jest. */
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));

/**
 * Gets a part that takes long to build, only if its suite is to run.
 *
 * @template T
 * @param {string} suite
 * @param {() => Promise<T>} find
 * @returns {Promise<{ file?: T, problem?: string }>}
 */
const partOf = async (suite, find) =>
	named.length === 0 || named.some((one) => suite.includes(one))
		? await optionalPart(log, find)
		: { problem: `it runs with: npm run test:servers -- ${suite}` };

/** @returns {Promise<import('./lib/types').RealServerParts['python']>} */
const preparePython = async () => {
	/** @type {Partial<import('./lib/types').RealServerParts['python']>} */
	const found = {};
	const names = /** @type {import('./lib/types').PythonServerName[]} */ (
		Object.keys(PYTHON_SERVERS)
	);
	for (const name of names) {
		found[name] = await partOf(
			PYTHON_SERVERS[name].suite,
			async () => await ensurePythonServer(log, name),
		);
	}
	return /** @type {import('./lib/types').RealServerParts['python']} */ (found);
};

/** @returns {Promise<Omit<import('./lib/types').RealServerParts, 'work'>>} */
const prepare = async () => {
	await ensureDependencies(log);
	const [smolLm2, miniLm, fastapi] = await Promise.all([
		optionalPart(log, async () => await ensureSmolLm2(log)),
		optionalPart(log, async () => await ensureMiniLm(log)),
		optionalPart(log, async () => await ensureFastapi(log)),
	]);
	// In sequence: each build uses all cores.
	const llamaServer = await optionalPart(
		log,
		async () => await ensureLlamaServer(log, { router: true }),
	);
	const wheel = await partOf(
		'llama-server-pictures',
		async () => await log.step('llama-server of the Python package', ensureLlamaWheel),
	);
	const whisper = await partOf('whisper', async () => ({
		server: await ensureWhisperServer(log),
		model: await ensureWhisperModel(),
	}));
	const ollama = await partOf('ollama', async () => await ensureOllama(log));
	const python = await preparePython();
	const miniLmFolders = await optionalPart(log, async () => await ensureMiniLmFolders(log));
	return {
		llamaServer: llamaServer.file,
		llamaServerProblem: llamaServer.problem,
		llamaServerWheel: wheel.file,
		llamaServerWheelProblem: wheel.problem,
		smolLm2: smolLm2.file,
		smolLm2Problem: smolLm2.problem,
		miniLm: miniLm.file,
		miniLmProblem: miniLm.problem,
		ollama: ollama.file,
		ollamaProblem: ollama.problem,
		whisper: whisper.file,
		whisperProblem: whisper.problem,
		fastapi: fastapi.file,
		fastapiProblem: fastapi.problem,
		python,
		miniLmFolders: miniLmFolders.file,
		miniLmFoldersProblem: miniLmFolders.problem,
	};
};

await main(async () => {
	const work = join(cacheDir(), 'test-servers', shortHash(root));
	mkdirSync(playgroundData, { recursive: true });
	return await withLock(
		join(playgroundData, 'test-servers.lock'),
		async () => {
			rmSync(work, { recursive: true, force: true });
			mkdirSync(work, { recursive: true });
			const partsFile = join(work, 'parts.json');
			const checks = [
				{
					name: 'real servers',
					counts: false,
					check: async () =>
						writeFileSync(partsFile, JSON.stringify({ ...(await prepare()), work }, null, '\t')),
				},
				{
					name: 'tests against real servers',
					check: async () => {
						const args = [
							'--config=jest.servers.config.cjs',
							'--runInBand',
							...process.argv.slice(2),
						];
						return await runJest(log, args, { LOCAL_LLAMA_SERVERS: partsFile });
					},
				},
			];
			const code = await runChecks(log, checks, `Logs of the servers: ${work}`);
			if (code === 0) rmSync(work, { recursive: true, force: true });
			return code;
		},
		(holder) => {
			throw new Error(
				`The tests against real servers run already in this clone (process ${holder ?? 'unknown'})`,
			);
		},
	);
});
