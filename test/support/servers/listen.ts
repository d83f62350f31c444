import * as net from 'node:net';
import process from 'node:process';
import { watchRequests } from './requests';

/**
 * Test ports are below the ephemeral ports of the system (32768 and up). Each jest worker has its own range and uses each
 * port once: a released port stays closed.
 */
const FIRST_PORT = 20_000;
const PORTS_OF_A_WORKER = 2_500;
const ownPorts = FIRST_PORT + (Number(process.env.JEST_WORKER_ID ?? 1) % 4) * PORTS_OF_A_WORKER;
let last = Math.floor(Math.random() * PORTS_OF_A_WORKER);

const nextPort = (): number => {
	last = (last + 1) % PORTS_OF_A_WORKER;
	return ownPorts + last;
};

/** Starts to listen, by default on 127.0.0.1. @returns the port */
export async function listen(
	server: net.Server,
	{ port, host = '127.0.0.1' }: { port?: number; host?: string } = {},
): Promise<number> {
	watchRequests(server);
	for (let tries = 1; ; tries++) {
		const candidate = port ?? nextPort();
		const failed = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
			server.once('error', resolve);
			server.listen(candidate, host, () => {
				server.off('error', resolve);
				resolve(undefined);
			});
		});
		if (failed === undefined) return candidate;
		if (failed.code !== 'EADDRINUSE' || port !== undefined || tries === PORTS_OF_A_WORKER)
			throw new Error(`Cannot listen on ${host}:${candidate}: ${failed.message}`);
	}
}

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
	const { port, close } = await startTcpServer((socket) => socket.destroy());
	await close();
	return port;
}

export interface Listening {
	readonly port: number;
	readonly url: string;
	/** Stops listening, and destroys all connections. */
	close(): Promise<void>;
}

/** Starts a server whose connections end with it. */
export async function startListening(
	server: net.Server,
	address: Parameters<typeof listen>[1] = {},
): Promise<Listening> {
	const sockets = new Set<net.Socket>();
	server.on('connection', (socket: net.Socket) => {
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
	});
	const port = await listen(server, address);
	return {
		port,
		url: `http://${address.host ?? '127.0.0.1'}:${port}`,
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
				for (const socket of sockets) socket.destroy();
			}),
	};
}

/** Starts a TCP server on 127.0.0.1 with a handler for each connection. */
export const startTcpServer = async (onSocket: (socket: net.Socket) => void): Promise<Listening> =>
	await startListening(net.createServer(onSocket));
