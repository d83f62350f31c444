import type { Duplex } from '../vendor';
import { buildConnector } from '../vendor';

/** Creates a function that opens connections as undici does, and whose connections fail late and close cheaply. */
export function createConnector(options: buildConnector.BuildOptions): buildConnector.connector {
	const connect = buildConnector(options);
	return (target, done) =>
		connect(target, (...result) => {
			const [, socket] = result;
			if (socket) {
				readBeforeWriteFails(socket);
				closeWithoutStack(socket);
			}
			done(...result);
		});
}

/**
 * A server may respond before it has received all of an upload, and close the connection (Ollama, to a route that it lacks).
 * Writing fails then while the response waits to be read, and Node would close the connection without it. So a write fails
 * only once all that has arrived was read.
 */
function readBeforeWriteFails(socket: Duplex) {
	const hold =
		(done: WriteCallback): WriteCallback =>
		(error) => {
			if (error?.syscall !== 'write' || socket.destroyed || socket.readableEnded)
				return done(error);
			const end = () => {
				socket.off('end', end).off('close', end);
				done(error);
			};
			socket.on('end', end).on('close', end);
		};
	const write = socket._write.bind(socket);
	socket._write = (chunk, encoding, done) => write(chunk, encoding, hold(done));
	const writeAll = socket._writev?.bind(socket);
	if (writeAll) socket._writev = (chunks, done) => writeAll(chunks, hold(done));
}

type WriteCallback = (error?: NodeJS.ErrnoException | null) => void;

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
