/** Starts the machine's Redis for n8n's queue mode, with a data folder of the caller. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.mjs';
import { findOnPath, startService } from './proc.mjs';

const READY_TIMEOUT_MS = 120_000;
const ANSWER_TIMEOUT_MS = 5000;

/** @returns {string} redis-server or valkey-server; `REDIS_BIN` names another */
export const findRedis = () => {
	const named = process.env.REDIS_BIN;
	if (named) {
		if (!existsSync(named)) throw new Error(`REDIS_BIN names ${named}, which does not exist`);
		return named;
	}
	const found = ['redis-server', 'valkey-server']
		.map((name) => findOnPath(name))
		.find((file) => file !== undefined);
	if (!found)
		throw new Error(
			'Redis was not found: apt-get install -y redis-server (or name one with REDIS_BIN)',
		);
	return found;
};

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
const answers = async (port) =>
	await new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
		socket.once('data', (bytes) => {
			socket.destroy();
			resolve(bytes.toString().startsWith('+PONG'));
		});
		socket.once('error', () => resolve(false));
		socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
			socket.destroy();
			resolve(false);
		});
	});

/**
 * @param {string} bin from `findRedis`
 * @param {string} folder
 * @param {{ port?: number, keepsJobs?: boolean }} [options] `keepsJobs`: queued jobs survive a restart of Redis in
 *   the same folder
 * @returns {Promise<import('./types').Redis>}
 */
export const startRedis = async (bin, folder, { port: wanted, keepsJobs = false } = {}) => {
	const port = wanted ?? (await freePort());
	const service = startService(
		'redis',
		bin,
		[
			...['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
			...['--appendonly', keepsJobs ? 'yes' : 'no', '--dir', folder],
		],
		{ cwd: folder },
	);
	const until = Date.now() + READY_TIMEOUT_MS;
	while (!(await answers(port))) {
		if (!service.running || Date.now() > until) {
			await service.stop();
			throw new Error(
				`Redis does not answer${service.running ? '' : ` (${service.endReason})`}\n${service.lines.slice(-10).join('\n')}`,
			);
		}
		await delay(50);
	}
	return { port, service, stop: async () => await service.stop(3000) };
};
