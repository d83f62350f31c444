/**
 * An HTTP client that returns the received bytes unchanged. HTTP libraries merge chunks, reuse connections and reorder
 * headers, so they cannot check simulators.
 */
import * as net from 'node:net';
import { type HttpFixture, parseHttp } from './streams';

export interface RawRequest {
	method?: string;
	path?: string;
	headers?: Record<string, string>;
	/** A string is sent unchanged, anything else as JSON. */
	body?: unknown;
}

export interface RawAnswer extends HttpFixture {
	bytes: Buffer;
	/** State of the connection after the response: open, closed (FIN) or reset (RST). */
	end: 'open' | 'fin' | 'rst';
}

const encode = ({ method, path = '/', headers = {}, body }: RawRequest): Buffer => {
	const text =
		body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
	const verb = method ?? (text === undefined ? 'GET' : 'POST');
	const all: Record<string, string> = {
		Host: 'localhost',
		...(text === undefined ? {} : { 'Content-Type': 'application/json' }),
		...headers,
		...(text === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(text)) }),
	};
	const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
	return Buffer.from(`${verb} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text ?? ''}`);
};

/** Whether a response is complete. */
const complete = (bytes: Buffer, head: boolean): boolean => {
	const end = bytes.indexOf('\r\n\r\n');
	if (end < 0) return false;
	const headers = bytes.toString('latin1', 0, end);
	const length = /\r\ncontent-length: (\d+)/i.exec(headers);
	if (length) return head || bytes.length >= end + 4 + Number(length[1]);
	// Search after the headers only (but with their last line end): `max=100` and an empty line look like the last chunk.
	return (
		/\r\ntransfer-encoding: chunked/i.test(headers) &&
		bytes
			.subarray(end + 2)
			.toString('latin1')
			.endsWith('\r\n0\r\n\r\n')
	);
};

/** Sends one request on a new connection, and reads until the response is complete or the connection ends. */
export const rawAsk = async (url: string, request: RawRequest): Promise<RawAnswer> => {
	const { hostname, port } = new URL(url);
	const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
	const isHead = request.method === 'HEAD';
	let bytes: Buffer = Buffer.alloc(0);
	const end = await new Promise<RawAnswer['end']>((resolve) => {
		socket.on('error', () => resolve('rst'));
		socket.on('end', () => resolve('fin'));
		socket.on('data', (more: Buffer) => {
			bytes = Buffer.concat([bytes, more]);
			if (complete(bytes, isHead)) resolve('open');
		});
		socket.write(encode(request));
	});
	socket.destroy();
	return { ...parseHttp(bytes), bytes, end };
};
