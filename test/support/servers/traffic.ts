/**
 * What is on its way between the sockets of this process: a connection, bytes, the end of a connection. A busy machine may
 * deliver them later than some moments.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Both ends of a connection, as far as they are known. */
interface Connection {
	client?: Socket;
	server?: Socket;
}

/** Clients that have no connection yet. */
const connecting = new Set<Socket>();
/** By both ports. */
const connections = new Map<string, Connection>();

function addEnd(ports: string, end: Connection): void {
	connections.set(ports, { ...connections.get(ports), ...end });
}

function watchClient(message: unknown): void {
	const { socket: client } = message as { socket: Socket };
	connecting.add(client);
	client.once('connect', () => addEnd(`${client.localPort}-${client.remotePort}`, { client }));
	for (const event of ['connect', 'close'])
		client.once(event, () => void connecting.delete(client));
}

function watchServer(message: unknown): void {
	const { socket: server } = message as { socket: Socket };
	addEnd(`${server.remotePort}-${server.localPort}`, { server });
}

subscribe('net.client.socket', watchClient);
subscribe('net.server.socket', watchServer);
// The channels outlive the modules of a test file.
afterAll(() => {
	unsubscribe('net.client.socket', watchClient);
	unsubscribe('net.server.socket', watchServer);
});

/** Whether a socket has not received everything. One that keeps what it has received unread waits for its reader. */
function isReceiving(socket: Socket, sender: Socket): boolean {
	if (socket.destroyed || socket.readableLength > 0) return false;
	return sender.destroyed || sender.bytesWritten > socket.bytesRead;
}

function isBusy({ client, server }: Connection): boolean {
	if (client === undefined || server === undefined) return true;
	return isReceiving(client, server) || isReceiving(server, client);
}

/** Whether something that was sent has not arrived. */
export function isOnItsWay(): boolean {
	for (const [ports, { client, server }] of connections)
		if (client?.destroyed !== false && server?.destroyed !== false) connections.delete(ports);
	return connecting.size > 0 || [...connections.values()].some(isBusy);
}
