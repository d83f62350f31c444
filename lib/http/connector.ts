import type { Duplex } from '../vendor';
import { buildConnector } from '../vendor';

/** Creates a function that opens connections as undici does, and whose connections close cheaply. */
export function createConnector(options: buildConnector.BuildOptions): buildConnector.connector {
	const connect = buildConnector(options);
	return (target, done) =>
		connect(target, (...result) => {
			const [, socket] = result;
			if (socket) closeWithoutStack(socket);
			done(...result);
		});
}

/**
 * undici closes a connection that is used once with an error of its own, which nobody receives. Node reads its stack all
 * the same, and formatting one is expensive with the source maps that n8n loads: a seventh of what a short item costs.
 */
function closeWithoutStack(socket: Duplex) {
	const destroy = socket.destroy.bind(socket);
	socket.destroy = (error?: NodeJS.ErrnoException) => {
		if (error?.code === 'UND_ERR_INFO') error.stack = error.message;
		return destroy(error);
	};
}
