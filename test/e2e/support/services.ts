/** Programs of this machine that n8n works with: Redis and a worker of queue mode, PostgreSQL with pgvector. */
import type {
	N8nEnvironment,
	N8nInstall,
	Service,
	ServiceOptions,
	StartN8nOptions,
} from '../../../scripts/lib/types';
import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { loadScript } from '../../support/files/scripts';

export interface Running {
	service: Service;
	stop(): Promise<void>;
}

interface ProcScript {
	startService(name: string, command: string, args: string[], options?: ServiceOptions): Service;
	run(command: string, args: string[], options?: ServiceOptions): Promise<unknown>;
}
interface PortsScript {
	freePort(): Promise<number>;
}
interface N8nScript {
	n8nEnvironment(options: N8nEnvironment): ServiceOptions['env'];
}

const READY_TIMEOUT_MS = 300_000;
/** Debian's folders of installed versions. */
const POSTGRES = { programs: '/usr/lib/postgresql', shared: '/usr/share/postgresql' };
/** User ID of the unprivileged Linux user: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

export const freePort = async (): Promise<number> =>
	await (await loadScript<PortsScript>('system/ports')).freePort();

/** Starts a program, and returns when it reports that it is ready. */
async function startUntil(
	said: string,
	name: string,
	command: string,
	args: string[],
	options?: ServiceOptions,
): Promise<Running> {
	const { startService } = await loadScript<ProcScript>('system/processes');
	const service = startService(name, command, args, options);
	const latest = Date.now() + READY_TIMEOUT_MS;
	while (!service.lines.some((line) => line.includes(said))) {
		if (!service.running || Date.now() > latest) {
			await service.stop();
			throw new Error(`${name} does not start\n${service.lines.slice(-10).join('\n')}`);
		}
		await delay(50);
	}
	return { service, stop: async () => await service.stop() };
}

export async function startRedis(bin: string, folder: string): Promise<Running & { port: number }> {
	const port = await freePort();
	const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
	return { port, ...(await startUntil('Ready to accept connections', 'redis', bin, args)) };
}

/** Starts a worker of n8n's queue mode. @param options those of the main process */
export async function startN8nWorker(
	install: N8nInstall,
	options: StartN8nOptions,
): Promise<Running> {
	const { n8nEnvironment } = await loadScript<N8nScript>('n8n/n8n');
	const { userFolder: cwd, logFile } = options;
	const node = path.resolve('node_modules', '.bin', 'node');
	const env = n8nEnvironment({ ...options, brokerPort: await freePort() });
	const args = [install.bin, 'worker'];
	return await startUntil('n8n worker is now ready', 'n8n worker', node, args, {
		cwd,
		env,
		logFile,
	});
}

/** What a PostgreSQL must have. */
interface PostgresNeeds {
	/** Whether it has pgvector. */
	hasVectors: boolean;
}

/** Folder with the programs of the newest installed PostgreSQL that fits, or the one that `POSTGRES_BIN` names. */
function postgresPrograms({ hasVectors }: PostgresNeeds): string {
	const { programs, shared } = POSTGRES;
	const isThere = (version: string) =>
		fs.existsSync(path.join(shared, version, 'extension/vector.control'));
	const installed = (fs.existsSync(programs) ? fs.readdirSync(programs) : [])
		.filter((version) => !hasVectors || isThere(version))
		.sort((one, other) => Number(other) - Number(one))
		.map((version) => path.join(programs, version, 'bin'));
	const [found] = [process.env.POSTGRES_BIN ?? [], installed].flat();
	if (found === undefined)
		throw new Error(
			'PostgreSQL with pgvector: apt-get install -y postgresql postgresql-17-pgvector',
		);
	return found;
}

/** Starts an empty PostgreSQL with the user and the database `postgres`, without a password. */
export async function startPostgres(needs: PostgresNeeds): Promise<Running & { port: number }> {
	const programs = postgresPrograms(needs);
	const { run } = await loadScript<ProcScript>('system/processes');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-postgres-'));
	const isRoot = process.getuid?.() === 0;
	if (isRoot) fs.chownSync(folder, NOBODY, NOBODY);
	const as = { cwd: folder, ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}) };
	const data = path.join(folder, 'data');
	const port = await freePort();
	const made = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--auth=trust', '--no-locale', '-N'];
	await run(path.join(programs, 'initdb'), made, as);
	const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', '', '-F'];
	const ready = 'database system is ready to accept connections';
	const started = await startUntil(ready, 'postgres', path.join(programs, 'postgres'), args, as);
	const stop = async () => {
		await started.stop();
		fs.rmSync(folder, { recursive: true, force: true });
	};
	return { port, service: started.service, stop };
}
