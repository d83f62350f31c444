/** Finds llama-server on this machine, or builds it from the llama.cpp source in an npm package, and starts it. */
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheDir, cached } from '../system/cache.mjs';
import { npm } from '../system/dependencies.mjs';
import { ensureLlamaWheel } from './llama-wheel.mjs';
import { shortHash } from '../system/paths.mjs';
import { freePort } from '../system/ports.mjs';
import { findOnPath, run, startService } from '../system/processes.mjs';
import { waitForService } from '../system/wait-for-service.mjs';

/** Contains llama.cpp v0.5.0 as a git bundle. */
const SOURCE_PACKAGE = 'node-llama-cpp@3.22.1';
const VERSION = '0.5.0';
const NOT_BUILT = ['BUILD_TESTS', 'BUILD_EXAMPLES', 'USE_PREBUILT_UI', 'BUILD_UI', 'OPENSSL'];
const CMAKE_FLAGS = [
	'-DCMAKE_BUILD_TYPE=Release',
	...NOT_BUILT.map((name) => `-DLLAMA_${name}=OFF`),
	'-DBUILD_SHARED_LIBS=OFF',
	// For any processor with AVX2: a virtual machine may name instructions (AMX) that end the process.
	'-DGGML_NATIVE=OFF',
];

const cacheKey = () =>
	`llama-server-${VERSION}-${shortHash(SOURCE_PACKAGE, ...CMAKE_FLAGS, process.platform, process.arch)}`;

/**
 * @param {string} folder
 * @param {import('../types').Progress} progress
 */
const build = async (folder, progress) => {
	const missing = ['git', 'cmake', 'make', 'g++'].filter((name) => !findOnPath(name));
	if (missing.length > 0)
		throw new Error(
			`Compiling llama-server: apt-get install -y ${missing.join(' ')} (or name one with LLAMA_SERVER_BIN)`,
		);
	progress('downloading the source');
	const work = join(folder, 'work');
	await npm(['pack', SOURCE_PACKAGE, '--pack-destination', folder], { cwd: folder });
	const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
	const bundle = 'package/llama/gitRelease.bundle';
	await run('tar', ['-xzf', archive, bundle], { cwd: folder });
	await run('git', ['clone', '--quiet', join(folder, bundle), work]);
	progress('compiling, which takes ten minutes on two cores');
	const built = join(work, 'build');
	await run('cmake', ['-S', work, '-B', built, ...CMAKE_FLAGS]);
	const jobs = String(availableParallelism());
	await run('cmake', ['--build', built, '--target', 'llama-server', '-j', jobs], {
		onLine: (line) => progress(`compiling, ${/^\[ *\d+%\]/.exec(line)?.[0] ?? ''}`),
	});
	copyFileSync(join(built, 'bin', 'llama-server'), join(folder, 'llama-server'));
	copyFileSync(join(work, 'LICENSE'), join(folder, 'LICENSE'));
	for (const name of ['work', 'package', archive])
		rmSync(join(folder, name), { recursive: true, force: true });
};

/**
 * @param {import('../types').Log} log
 * @param {{ router?: boolean }} [needs] `router`: several models in one server, which the Python package does not support
 * @returns {Promise<string>} a llama-server: `LLAMA_SERVER_BIN`, one on PATH, one built earlier, one from a Python
 *   package, or one built now
 */
export const ensureLlamaServer = async (log, { router = false } = {}) =>
	await log.step('llama-server', async (progress) => {
		const configured = process.env.LLAMA_SERVER_BIN;
		if (configured && !existsSync(configured))
			throw new Error(`LLAMA_SERVER_BIN names ${configured}, which does not exist`);
		const found = configured || findOnPath('llama-server');
		if (found) {
			progress.note(found);
			return found;
		}
		const built = join(cacheDir(), cacheKey(), 'llama-server');
		if (!router && !existsSync(built)) return await ensureLlamaWheel(progress);
		await cached(cacheKey(), async (target) => await build(target, progress));
		progress.note(`v${VERSION}, built from ${SOURCE_PACKAGE}`);
		return built;
	});

/**
 * Starts a llama-server on 127.0.0.1 and waits until its model is loaded.
 *
 * @param {string} binary
 * @param {import('../types').LlamaServerOptions} options
 * @returns {Promise<import('../types').LlamaServer>}
 */
export const startLlamaServer = async (binary, options) => {
	const { model, alias, apiKey, args = [], wait = true } = options;
	const port = options.port ?? (await freePort());
	const numbers = {
		'--ctx-size': options.contextSize,
		'--parallel': options.parallel,
		'--threads': options.threads,
	};
	const set = Object.entries(numbers).filter(([, value]) => value !== undefined);
	// LLAMA_ARG_*, which llama-server reads as options, are meant for the user's own server.
	const own = Object.entries(process.env).filter(([name]) => !name.startsWith('LLAMA_'));
	const service = startService(
		'llama-server',
		binary,
		[
			...['--host', '127.0.0.1', '--port', String(port), '--jinja'],
			...(model === undefined ? [] : ['--model', model]),
			...(alias ? ['--alias', alias] : []),
			...set.flatMap(([name, value]) => [name, String(value)]),
			...(apiKey ? ['--api-key', apiKey] : []),
			...args,
		],
		{ env: { ...Object.fromEntries(own), ...options.env }, logFile: options.logFile },
	);
	const url = `http://127.0.0.1:${port}`;
	const ready = async (timeoutMs = 300_000) => {
		await waitForService(service, `${url}/health`, { timeoutMs });
	};
	if (wait) await ready();
	/**
	 * @template T
	 * @param {string} path
	 * @returns {Promise<T>}
	 */
	const get = async (path) => {
		const response = await fetch(`${url}${path}`, {
			headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
			signal: AbortSignal.timeout(60_000),
		});
		if (!response.ok)
			throw new Error(`GET ${path}: HTTP ${response.status} ${await response.text()}`);
		return /** @type {T} */ (await response.json());
	};
	return {
		url,
		port,
		model: alias ?? model ?? '',
		service,
		ready,
		props: async () => await get('/props'),
		slots: async () => await get('/slots'),
		stop: async () => await service.stop(3000),
	};
};
