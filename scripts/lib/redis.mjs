/** Starts the machine's Redis for n8n's queue mode, with a data folder of the caller. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';

const READY_TIMEOUT_MS = 120_000;

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether it takes connections
 */
const listens = async (port) =>
	await new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});

/**
 * @param {string} bin
 * @param {string} folder
 * @returns {Promise<import('./types').Redis>}
 */
export const startRedis = async (bin, folder) => {
	const port = await freePort();
	const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
	const service = startService('redis', bin, [...where, '--save', '', '--appendonly', 'no']);
	const until = Date.now() + READY_TIMEOUT_MS;
	while (!(await listens(port))) {
		if (!service.running || Date.now() > until) {
			await service.stop();
			throw new Error(`Redis does not answer\n${service.lines.slice(-10).join('\n')}`);
		}
		await delay(50);
	}
	return { port, service, stop: async () => await service.stop(3000) };
};
