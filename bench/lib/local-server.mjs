/**
 * Begins to listen on this machine.
 *
 * @param {import('node:http').Server} server
 * @param {number} [port] default: a free one
 * @returns {Promise<{ url: string, stop: () => void }>} `stop` also closes the connections that are open
 */
export const listenLocally = async (server, port = 0) => {
	await /** @type {Promise<void>} */ (
		new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
	);
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The server has no port');
	return {
		url: `http://127.0.0.1:${address.port}`,
		stop: () => {
			server.closeAllConnections();
			server.close();
		},
	};
};
