/** Builds Ollama from its Go module and starts it: it needs no network afterwards, models are created from files. */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { fetchLlamaSource } from './llama-server.mjs';
import { shortHash } from './paths.mjs';
import { freePort } from './ports.mjs';
import { findOnPath, run, startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

const MODULE = 'github.com/ollama/ollama';
const VERSION = '0.17.4';
/** Libraries in `vendor` folders, which Go leaves out of the module's archive. */
const VENDORED = ['nlohmann', 'miniaudio', 'stb'];

/** @returns {string | undefined} missing build tools, with what to do */
const missing = () => {
	if (!findOnPath('go'))
		return 'Go 1.24 or newer was not found (https://go.dev/dl, or apt-get install -y golang)';
	if (!findOnPath('g++') && !findOnPath('clang++'))
		return 'a C++ compiler was not found (apt-get install -y g++)';
	return undefined;
};

/**
 * @param {string} folder
 * @param {import('./types').Progress} progress
 */
const build = async (folder, progress) => {
	progress('downloading the source');
	const { stdout } = await run('go', ['mod', 'download', '-json', `${MODULE}@v${VERSION}`], {
		cwd: folder,
	});
	/** @type {{ Dir: string }} */
	const { Dir: source } = JSON.parse(stdout);
	const work = join(folder, 'ollama');
	cpSync(source, work, { recursive: true });
	// Go's downloads are read-only.
	await run('chmod', ['-R', 'u+w', work]);
	const llama = join(folder, 'llama');
	mkdirSync(llama);
	const vendor = join(await fetchLlamaSource(llama), 'vendor');
	for (const name of VENDORED) {
		cpSync(join(vendor, name), join(work, 'llama', 'llama.cpp', 'vendor', name), {
			recursive: true,
		});
	}
	progress('compiling, which takes a quarter of an hour on two cores');
	const binary = join(folder, 'bin');
	await run('go', ['build', '-trimpath', '-o', binary, '.'], {
		cwd: work,
		env: { ...process.env, CGO_ENABLED: '1' },
	});
	await run('chmod', ['-R', 'u+w', folder]);
	for (const path of [work, llama]) rmSync(path, { recursive: true, force: true });
	chmodSync(binary, 0o755);
};

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} the `ollama` program: `OLLAMA_BIN`, or one built here
 * @throws when it cannot be built, with what is missing
 */
export const ensureOllama = async (log) =>
	await log.step(`Ollama ${VERSION}`, async (progress) => {
		const named = process.env.OLLAMA_BIN;
		if (named) {
			if (!existsSync(named)) throw new Error(`OLLAMA_BIN names ${named}, which does not exist`);
			return named;
		}
		const key = `ollama-${VERSION}-${shortHash(process.platform, process.arch)}`;
		const folder = await cached(
			key,
			async (target) => {
				const problem = missing();
				if (problem)
					throw new Error(`Ollama cannot be built: ${problem}. Or name one with OLLAMA_BIN.`);
				await build(target, progress);
			},
			{ onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is building it`) },
		);
		return join(folder, 'bin');
	});

/**
 * @param {string} binary
 * @param {{ folder: string, env?: Record<string, string | undefined> }} options `folder`: for models, empty or not
 * @returns {Promise<{ url: string, service: import('./types').Service, stop(): Promise<void> }>}
 */
export const startOllama = async (binary, { folder, env = {} }) => {
	const port = await freePort();
	const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OLLAMA_'));
	const service = startService('ollama', binary, ['serve'], {
		cwd: folder,
		env: {
			...Object.fromEntries(own),
			OLLAMA_HOST: `127.0.0.1:${port}`,
			OLLAMA_MODELS: join(folder, 'models'),
			// For its key pair and settings, instead of the user's.
			HOME: folder,
			OLLAMA_NOPRUNE: '1',
			...env,
		},
		logFile: join(folder, 'ollama.log'),
	});
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}/api/version`, { timeoutMs: 120_000, lines: 20 });
	return { url, service, stop: async () => await service.stop(3000) };
};
