import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the system's ephemeral ports (32768 and up), so that no outgoing connection takes the port first. */
const FIRST_PORT = 12_000;
const PORTS = 8_000;
let last = FIRST_PORT + randomInt(PORTS);

/** @param {number} port @returns {Promise<boolean>} whether a server can listen on it */
const isFree = async (port) =>
	await new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});

/**
 * @param {number} wanted
 * @returns {Promise<number>} that port, or the next free one after it
 */
export const freePortFrom = async (wanted) => {
	for (let port = wanted; port < 65_536; port += 1) if (await isFree(port)) return port;
	throw new Error(`No free port on 127.0.0.1 after ${wanted}`);
};

/** @returns {Promise<number>} a free port; another one at each call */
export const freePort = async () => {
	for (;;) {
		last = last + 1 < FIRST_PORT + PORTS ? last + 1 : FIRST_PORT;
		const port = last;
		if (await isFree(port)) return port;
	}
};
