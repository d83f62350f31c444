import { startListening } from './listen';
import { until } from './scripted-server';
import { isOnItsWay } from './traffic';
import * as net from 'node:net';

/** A server that reads nothing of a connection before `read` is called, and sends it back then. */
async function startSlowServer() {
	const accepted: net.Socket[] = [];
	const server = net.createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket));
	const { port, close } = await startListening(server);
	const read = () => {
		for (const socket of accepted) socket.pipe(socket);
	};
	return { port, close, read, accepted };
}

let server: Awaited<ReturnType<typeof startSlowServer>>;
beforeEach(async () => {
	server = await startSlowServer();
});
afterEach(async () => await server.close());

const arrived = async (): Promise<void> => await until(() => !isOnItsWay());

it('a connection that is being opened is on its way, an open one is not', async () => {
	expect(isOnItsWay()).toBe(false);
	const client = net.connect(server.port, '127.0.0.1');
	expect(isOnItsWay()).toBe(true);
	await arrived();
	expect([client.connecting, server.accepted.length]).toEqual([false, 1]);
});

it('bytes are on their way until the other end has received them, in both directions', async () => {
	const client = net.connect(server.port, '127.0.0.1');
	let received = '';
	client.on('data', (piece) => (received += String(piece)));
	await arrived();
	client.write('hello');
	expect([server.accepted[0]!.bytesRead, isOnItsWay()]).toEqual([0, true]);
	server.read();
	expect(isOnItsWay()).toBe(true);
	await arrived();
	expect(received).toBe('hello');
});

it('bytes that a client leaves unread have arrived', async () => {
	const client = net.connect(server.port, '127.0.0.1');
	client.on('readable', () => undefined);
	client.write('hello');
	await until(() => server.accepted.length > 0);
	server.read();
	await until(() => client.readableLength > 0);
	expect([client.readableLength, isOnItsWay()]).toEqual([5, false]);
});

it('the end of a connection is on its way until the other end knows it', async () => {
	const client = net.connect(server.port, '127.0.0.1');
	await arrived();
	client.destroy();
	expect(isOnItsWay()).toBe(true);
	server.read();
	await arrived();
	await until(() => server.accepted[0]!.destroyed);
});
