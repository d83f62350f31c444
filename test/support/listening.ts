import { net, process } from './node';

/**
 * Ports of tests lie below those that the system gives away by itself (32768 and up), each process of jest with some of
 * its own, and come one after another: a port that a test has given back stays closed.
 */
const FIRST_PORT = 20_000;
const PORTS_OF_A_WORKER = 2_500;
const ownPorts = FIRST_PORT + (Number(process.env.JEST_WORKER_ID ?? 1) % 4) * PORTS_OF_A_WORKER;
let last = Math.floor(Math.random() * PORTS_OF_A_WORKER);

const nextPort = (): number => {
	last = (last + 1) % PORTS_OF_A_WORKER;
	return ownPorts + last;
};

/** Begins to listen on 127.0.0.1, or as told. @returns the port */
export async function listen(
	server: net.Server,
	{ port, host = '127.0.0.1' }: { port?: number; host?: string } = {},
): Promise<number> {
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
			throw new Error(`Nobody can listen on ${host}:${candidate}: ${failed.message}`);
	}
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
	const { port, close } = await listening((socket) => socket.destroy());
	await close();
	return port;
}

/** A bare TCP server that does with each connection what it is told. */
export async function listening(
	onSocket: (socket: net.Socket) => void,
): Promise<{ port: number; close(): Promise<void> }> {
	const server = net.createServer(onSocket);
	return {
		port: await listen(server),
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			}),
	};
}
