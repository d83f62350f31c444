/** llama-server's response headers and their order (docs/protocols/llama-server.md 1.1, recorded). */
import type { HeaderList, WireReply, Write } from '../wire-reply';
import type { Exchange, WireRequest } from '../raw-http';
import { stringify } from './json';

const LENGTH: readonly [string, string] = ['Content-Length', '*'];
const CHUNKED: readonly [string, string] = ['Transfer-Encoding', 'chunked'];
const JSON_TYPE: readonly [string, string] = ['Content-Type', 'application/json; charset=utf-8'];

export const jsonReply = (status: number, body: object): WireReply => ({
	status,
	headers: [JSON_TYPE, LENGTH],
	body: stringify(body),
});

export const textReply = (text: string, type: string, extra: HeaderList = []): WireReply => ({
	status: 200,
	headers: [...extra, ['Content-Type', type], LENGTH],
	body: text,
});

export const streamReply = (body: AsyncIterable<Write>): WireReply => ({
	status: 200,
	headers: [['X-Accel-Buffering', 'no'], ['Content-Type', 'text/event-stream'], CHUNKED],
	body,
});

/**
 * A child's response through a router: always chunked. The child sends `Connection: close` after an error, or if the client
 * did not ask for keep-alive; the router forwards that besides its own header.
 */
export const proxied = (reply: WireReply, { headers: asked }: WireRequest): WireReply => {
	const closes = reply.status >= 400 || asked.connection?.toLowerCase() !== 'keep-alive';
	const headers = reply.headers.filter(
		([name]) => !['content-length', 'x-accel-buffering'].includes(name.toLowerCase()),
	);
	const chunked = headers.some(([name]) => name === CHUNKED[0]) ? headers : [...headers, CHUNKED];
	return {
		...reply,
		headers: [
			...(closes ? [['Connection', 'close'] as const] : []),
			['X-Accel-Buffering', 'no'],
			...chunked,
		],
	};
};

/** Adds the headers of every response. */
export const dress = (reply: WireReply, { request, keepAlive }: Exchange): WireReply => {
	const { body, headers } = reply;
	const whole = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
	const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
	const closing = reply.status >= 400 || !keepAlive;
	return {
		...reply,
		headers: [
			['Server', 'llama.cpp'],
			['Access-Control-Allow-Origin', request.headers.origin ?? ''],
			...headers,
			...(framed ? [] : [whole ? LENGTH : CHUNKED]),
			closing ? ['Connection', 'close'] : ['Keep-Alive', 'timeout=5, max=100'],
		],
	};
};
