/** Finds llama-server on this machine, or builds it from the llama.cpp source in an npm package, and starts it. */
import { chmodSync, copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheDir, cached } from './cache.mjs';
import { npm } from './npm.mjs';
import { shortHash } from './paths.mjs';
import { ensureLlamaWheel, WHEEL_SOURCE } from './llama-wheel.mjs';
import { freePort } from './ports.mjs';
import { findOnPath, residentBytes, run, startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

/** Contains llama.cpp v0.5.0 as a git bundle. */
const SOURCE_PACKAGE = 'node-llama-cpp@3.22.1';
const VERSION = '0.5.0';
const CMAKE_FLAGS = [
	'-DCMAKE_BUILD_TYPE=Release',
	'-DLLAMA_BUILD_TESTS=OFF',
	'-DLLAMA_BUILD_EXAMPLES=OFF',
	'-DLLAMA_USE_PREBUILT_UI=OFF',
	'-DLLAMA_BUILD_UI=OFF',
	'-DLLAMA_OPENSSL=OFF',
	'-DBUILD_SHARED_LIBS=OFF',
	// For any processor with AVX2: a virtual machine may name instructions (AMX) that end the process.
	'-DGGML_NATIVE=OFF',
];

const cacheKey = () =>
	`llama-server-${VERSION}-${shortHash(SOURCE_PACKAGE, ...CMAKE_FLAGS, process.platform, process.arch)}`;

/** @returns {string} cache folder of the compiled llama-server, which may not exist yet */
export const builtFolder = () => join(cacheDir(), cacheKey());

/** @returns {string[]} missing build tools, as names of Debian packages */
const missingTools = () =>
	[
		findOnPath('git') ? '' : 'git',
		findOnPath('cmake') ? '' : 'cmake',
		findOnPath('make') || findOnPath('ninja') ? '' : 'make',
		findOnPath('g++') || findOnPath('c++') || findOnPath('clang++') ? '' : 'g++',
	].filter(Boolean);

/** @param {string[]} missing */
const buildHint = (missing) =>
	process.platform === 'darwin'
		? 'xcode-select --install && brew install cmake'
		: `apt-get install -y ${missing.join(' ')}`;

/** @returns {{ binary: string, source: string } | undefined} a llama-server that needs no building */
export const findLlamaServer = () => {
	const named = process.env.LLAMA_SERVER_BIN;
	if (named) {
		if (!existsSync(named))
			throw new Error(`LLAMA_SERVER_BIN names ${named}, which does not exist`);
		return { binary: named, source: 'LLAMA_SERVER_BIN' };
	}
	const onPath = findOnPath('llama-server');
	if (onPath) return { binary: onPath, source: onPath };
	const built = join(builtFolder(), 'llama-server');
	return existsSync(built) ? { binary: built, source: 'built earlier' } : undefined;
};

/**
 * @param {string} folder an empty one
 * @returns {Promise<string>} a folder below it with the llama.cpp source that llama-server is built from
 */
export const fetchLlamaSource = async (folder) => {
	const work = join(folder, 'work');
	await npm(
		['pack', SOURCE_PACKAGE, '--ignore-scripts', '--pack-destination', folder, '--loglevel=error'],
		{
			cwd: folder,
		},
	);
	const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
	if (!tarball) throw new Error(`npm pack ${SOURCE_PACKAGE} left no archive`);
	const bundle = join(folder, 'gitRelease.bundle');
	await run('tar', ['-xzf', tarball, '--strip-components=2', 'package/llama/gitRelease.bundle'], {
		cwd: folder,
	});
	await run('git', ['clone', '--quiet', bundle, work], { cwd: folder });
	for (const path of [bundle, join(folder, tarball)]) rmSync(path, { force: true });
	return work;
};

/**
 * @param {string} folder
 * @param {import('./types').Progress} progress
 */
const build = async (folder, progress) => {
	const missing = missingTools();
	if (missing.length > 0) {
		throw new Error(
			`No llama-server was found, and compiling one needs ${missing.join(', ')}: ${buildHint(missing)}\n` +
				'Or name one with LLAMA_SERVER_BIN=/path/to/llama-server.',
		);
	}
	progress('downloading the source');
	const work = await fetchLlamaSource(folder);
	progress('configuring');
	const generator = findOnPath('ninja') ? ['-G', 'Ninja'] : [];
	await run('cmake', ['-S', work, '-B', join(work, 'build'), ...generator, ...CMAKE_FLAGS], {
		cwd: folder,
	});
	progress('compiling');
	const jobs = String(availableParallelism());
	await run(
		'cmake',
		['--build', join(work, 'build'), '--config', 'Release', '--target', 'llama-server', '-j', jobs],
		{
			cwd: folder,
			onLine: (line) => {
				const ninja = /^\[(\d+)\/(\d+)\]/.exec(line);
				const make = /^\[\s*(\d+)%\]/.exec(line);
				if (ninja)
					progress(`compiling, ${Math.floor((100 * Number(ninja[1])) / Number(ninja[2]))} %`);
				else if (make) progress(`compiling, ${make[1]} %`);
			},
		},
	);
	const binary = join(folder, 'llama-server');
	copyFileSync(join(work, 'build', 'bin', 'llama-server'), binary);
	copyFileSync(join(work, 'LICENSE'), join(folder, 'LICENSE'));
	chmodSync(binary, 0o755);
	await run(binary, ['--version']);
	rmSync(work, { recursive: true, force: true });
};

/**
 * @param {import('./types').Progress} progress
 * @returns {Promise<string>}
 */
const ensureBuilt = async (progress) => {
	const folder = await cached(cacheKey(), async (target) => await build(target, progress), {
		onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is building it`),
	});
	progress.note(`v${VERSION}, built from ${SOURCE_PACKAGE}`);
	return join(folder, 'llama-server');
};

/**
 * @param {import('./types').Log} log
 * @param {{ router?: boolean }} [needs] `router`: several models in one server, which the Python package cannot do
 * @returns {Promise<string>} a llama-server: `LLAMA_SERVER_BIN`, one on PATH, one built earlier, the one of a Python
 *   package, or one built now
 */
export const ensureLlamaServer = async (log, { router = false } = {}) =>
	await log.step('llama-server', async (progress) => {
		const found = findLlamaServer();
		if (found) {
			progress.note(found.source);
			return found.binary;
		}
		if (router) return await ensureBuilt(progress);
		try {
			const binary = await ensureLlamaWheel(progress);
			progress.note(WHEEL_SOURCE);
			return binary;
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			const missing = missingTools();
			// One error for both ways, so that the user can choose what to install.
			if (missing.length > 0)
				throw new Error(
					`No llama-server was found. ${reason}\nOr compile one: ${buildHint(missing)}`,
				);
			log.line(`  llama-server is compiled, which takes minutes: ${reason}`);
			return await ensureBuilt(progress);
		}
	});

/**
 * Starts a llama-server on 127.0.0.1 and waits until its model is loaded.
 *
 * @param {string} binary
 * @param {import('./types').LlamaServerOptions} options
 * @returns {Promise<import('./types').LlamaServer>}
 */
export const startLlamaServer = async (binary, options) => {
	const {
		model,
		alias,
		contextSize,
		parallel,
		threads,
		apiKey,
		args = [],
		wait = true,
		env = {},
	} = options;
	const port = options.port ?? (await freePort());
	const service = startService(
		'llama-server',
		binary,
		[
			...['--host', '127.0.0.1', '--port', String(port), '--jinja'],
			...(model === undefined ? [] : ['--model', model]),
			...(alias ? ['--alias', alias] : []),
			...(contextSize === undefined ? [] : ['--ctx-size', String(contextSize)]),
			...(parallel === undefined ? [] : ['--parallel', String(parallel)]),
			...(threads === undefined ? [] : ['--threads', String(threads)]),
			...(apiKey ? ['--api-key', apiKey] : []),
			...args,
		],
		{
			// Unset LLAMA_ARG_*, which llama-server reads as options: they are meant for the user's own server.
			env: {
				...Object.fromEntries(
					Object.entries(process.env).filter(([name]) => !name.startsWith('LLAMA_')),
				),
				...env,
			},
			logFile: options.logFile,
		},
	);
	const url = `http://127.0.0.1:${port}`;
	const ready = async (timeoutMs = 300_000) => {
		await waitForService(service, `${url}/health`, { timeoutMs, lines: 20 });
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
		residentBytes: () => residentBytes(service.pid),
		stop: async () => await service.stop(3000),
	};
};
