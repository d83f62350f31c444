/** A server that never answers connection attempts, like a firewall that drops packets. */
import * as net from 'node:net';
import * as workerThreads from 'node:worker_threads';

export interface SilentServer {
	readonly port: number;
	readonly url: string;
	close(): Promise<void>;
}

// A listening socket that never accepts: the system completes handshakes until the queue is full, then drops them.
const LISTENER = `
const net = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = net.createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
	parentPort.postMessage(server.address().port);
	Atomics.wait(new Int32Array(workerData), 0, 0);
	server.close();
});
`;

/**
 * Connection attempts to its port stay unanswered (on Linux; other systems' queues may differ). For connections that are
 * accepted and then ignored, use a simulator with `connections: () => 'silent'`.
 */
export const startSilentServer = async (): Promise<SilentServer> => {
	const gate = new SharedArrayBuffer(4);
	const worker = new workerThreads.Worker(LISTENER, { eval: true, workerData: gate });
	const port = await new Promise<number>((resolve, reject) => {
		worker.once('message', resolve);
		worker.once('error', reject);
	});
	// Backlog 1 leaves room for two connections; the third waits.
	const fillers = Array.from({ length: 3 }, () => net.connect(port, '127.0.0.1'));
	for (const filler of fillers) filler.on('error', () => filler.destroy());
	await Promise.all(
		fillers.slice(0, 2).map((filler) => new Promise((resolve) => filler.once('connect', resolve))),
	);
	const exited = new Promise((resolve) => {
		worker.once('exit', resolve);
	});
	return {
		port,
		url: `http://127.0.0.1:${port}`,
		close: async () => {
			for (const filler of fillers) filler.destroy();
			Atomics.store(new Int32Array(gate), 0, 1);
			Atomics.notify(new Int32Array(gate), 0);
			await exited;
		},
	};
};
