import { net } from './node';

/** A bare TCP server that does with each connection what it is told. */
export async function listening(onSocket: (socket: net.Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
	const server = net.createServer(onSocket);
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	return {
		port: (server.address() as net.AddressInfo).port,
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			}),
	};
}
