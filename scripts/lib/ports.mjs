import { createServer } from 'node:net';

/**
 * @param {number} port 0 lets the system choose
 * @returns {Promise<number | undefined>} the port when it can be listened on
 */
const tryPort = (port) =>
	new Promise((resolve) => {
		const server = createServer();
		server.once('error', () => resolve(undefined));
		server.listen(port, '127.0.0.1', () => {
			const address = server.address();
			server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
		});
	});

/** @returns {Promise<number>} a port that nobody listens on at this moment */
export const freePort = async () => {
	const port = await tryPort(0);
	if (port === undefined) throw new Error('No free port on 127.0.0.1');
	return port;
};

/**
 * @param {number} wanted
 * @returns {Promise<number>} that port, or the next free one after it
 */
export const freePortFrom = async (wanted) => {
	for (let port = wanted; port < Math.min(wanted + 50, 65_536); port += 1) {
		if ((await tryPort(port)) !== undefined) return port;
	}
	return await freePort();
};
