/** Debian's PostgreSQL with pgvector, for n8n's PGVector store. Its data folder is temporary. */
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.mjs';
import { onExit, run, startService } from './proc.mjs';

const PROGRAMS = '/usr/lib/postgresql';
const SHARED = '/usr/share/postgresql';
const READY = 'database system is ready to accept connections';
const READY_TIMEOUT_MS = 120_000;
/** User ID of `nobody` on Linux: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/**
 * @returns {string} folder with the programs: the one that `POSTGRES_BIN` names, or those of the newest version that has
 *   pgvector
 */
export const findPostgres = () => {
	const named = process.env.POSTGRES_BIN;
	if (named) return named;
	const found = (existsSync(PROGRAMS) ? readdirSync(PROGRAMS) : [])
		.filter((version) => existsSync(join(SHARED, version, 'extension', 'vector.control')))
		.sort((one, other) => Number(other) - Number(one))[0];
	if (found) return join(PROGRAMS, found, 'bin');
	throw new Error(
		'PostgreSQL with pgvector was not found: apt-get install -y postgresql postgresql-17-pgvector (or name a folder with initdb with POSTGRES_BIN)',
	);
};

/**
 * Starts an empty PostgreSQL on 127.0.0.1 with the user and the database `postgres`, without a password.
 *
 * @param {string} programs from `findPostgres`
 * @returns {Promise<import('./types').Postgres>}
 */
export const startPostgres = async (programs) => {
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-postgres-'));
	const remove = () => rmSync(folder, { recursive: true, force: true });
	const takeBack = onExit(remove);
	const data = join(folder, 'data');
	mkdirSync(data);
	const isRoot = process.getuid?.() === 0;
	if (isRoot) for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY);
	const as = { cwd: folder, ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) };
	const port = await freePort();
	const made = [
		'-D',
		data,
		'-U',
		'postgres',
		'-E',
		'UTF8',
		'--auth=trust',
		'--no-locale',
		'--no-sync',
	];
	await run(join(programs, 'initdb'), made, as);
	const where = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-c', 'fsync=off'];
	const service = startService('postgres', join(programs, 'postgres'), where, as);
	const stop = async () => {
		await service.stop();
		takeBack();
		remove();
	};
	const until = Date.now() + READY_TIMEOUT_MS;
	while (!service.lines.some((line) => line.includes(READY))) {
		if (!service.running || Date.now() > until) {
			await stop();
			throw new Error(`PostgreSQL does not start\n${service.lines.slice(-10).join('\n')}`);
		}
		await delay(50);
	}
	return { port, service, stop };
};
