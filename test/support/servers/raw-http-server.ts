import { startTcpServer } from './listen';
import type * as net from 'node:net';

/** Handler of one request: gets the path, the socket, and the request's whole head. */
export type RawHandler = (path: string, socket: net.Socket, head: string) => void;

const open: Array<() => Promise<void>> = [];

/** Starts an HTTP server whose handler writes the raw response. @returns its URL */
export async function rawServer(handle: RawHandler): Promise<string> {
	const { url, close } = await startTcpServer((socket) => {
		let head = '';
		socket.on('data', (bytes: Buffer) => {
			head += bytes.toString('latin1');
			if (!head.includes('\r\n\r\n')) return;
			handle(head.split(' ')[1]!, socket, head);
			head = '';
		});
	});
	open.push(close);
	return url;
}

/** Closes all servers of `rawServer`. */
export async function closeRawServers(): Promise<void> {
	await Promise.all(open.splice(0).map(async (close) => await close()));
}

/** A handler that writes a complete response with Content-Length. */
export function completeResponse(
	status: string,
	body: string | Buffer = '',
	headers: Record<string, string> = {},
): RawHandler {
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	return (_path, socket) => {
		socket.write(
			`HTTP/1.1 ${status}\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`,
		);
		socket.end(body);
	};
}
