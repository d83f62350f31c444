/**
 * An HTTP server for simulators. A reply is a status, headers, and a body as a sequence of writes; `Transport` changes it
 * like a network, a proxy or a dying server.
 */
import { startListening } from '../support/servers/listen';
import type { Listening } from '../support/servers/listen';
import * as http from 'node:http';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';

/** One received request and its outcome. */
export interface WireRequest {
	readonly method: string;
	readonly path: string;
	readonly query: URLSearchParams;
	/** Names in lower case. */
	readonly headers: Readonly<Record<string, string>>;
	readonly rawHeaders: readonly string[];
	readonly bytes: Buffer;
	/** The body parsed as JSON; `undefined` if it is not JSON. */
	readonly body: unknown;
	/** Connections are numbered from 0 in order of acceptance. */
	readonly connection: number;
	/** Aborts when the client disconnects before its response is complete, and when the server closes. */
	readonly signal: AbortSignal;
}

/** The server's side of one request and response. */
export interface Exchange {
	readonly request: WireRequest;
	readonly response: http.ServerResponse;
	readonly socket: net.Socket;
}

export type Write = Buffer | string;
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>;

export interface WireReply {
	status: number;
	headers: HeaderList;
	/** A Buffer or string is sent whole; anything else write by write. */
	body?: Write | Iterable<Write> | AsyncIterable<Write>;
	transport?: Transport;
	/** The body is the whole raw response, without status line, headers and framing. */
	verbatim?: boolean;
}

/** Transport of one response. Without settings it is sent unchanged. */
export interface Transport {
	/** Milliseconds before the status line. */
	delayHeaders?: number;
	/**
	 * `start`: before the first byte. Otherwise after the whole body, or after so many server-sent events. `silence`: the
	 * connection stays open without data.
	 */
	cut?: { at: 'start' | 'end' | { event: number }; how: 'fin' | 'rst' | 'silence' };
}

/** Treatment of a new connection. `silent`: accepted, never read. `greet`: this text is sent instead of HTTP. */
export type ConnectionFate = 'serve' | 'silent' | 'fin' | 'rst' | { greet: string };

export interface HttpServerOptions {
	handle(exchange: Exchange): Promise<void>;
	host?: string;
	port?: number;
	/** PEM key and certificate for https. */
	tls?: { key: string; cert: string };
	/** Decides per connection, counted from 0. */
	connections?: (index: number) => ConnectionFate;
}

export interface HttpServer extends Listening {
	readonly requests: WireRequest[];
	/** Number of connections accepted so far. */
	readonly accepted: number;
	/** Number of connections open now. */
	readonly open: number;
}

/** Waits for milliseconds or a promise, until the signal aborts. Never rejects. */
export async function waitFor(
	what: number | Promise<unknown> | undefined,
	signal: AbortSignal,
): Promise<void> {
	if (what === undefined || signal.aborted) return;
	if (typeof what === 'number') {
		await delay(what, undefined, { signal }).catch(() => undefined);
		return;
	}
	const aborted = new Promise<void>((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true });
	});
	await Promise.race([what.catch(() => undefined), aborted]);
}

async function breakOff(
	{ request, socket }: Exchange,
	how: NonNullable<Transport['cut']>['how'],
): Promise<void> {
	if (how === 'silence') await waitFor(new Promise(() => undefined), request.signal);
	else if (how === 'rst') socket.resetAndDestroy();
	else socket.end();
}

const isWhole = (body: WireReply['body']): body is Write | undefined =>
	body === undefined || typeof body === 'string' || Buffer.isBuffer(body);

const write = async (to: NodeJS.WritableStream, bytes: Write): Promise<void> =>
	await new Promise((resolve) => to.write(bytes, () => resolve()));

/** Sends one reply with its transport settings. Resolves when it has ended or failed. */
export async function sendReply(exchange: Exchange, reply: WireReply): Promise<void> {
	const { request, response, socket } = exchange;
	const { body, headers, transport = {} } = reply;
	const { cut } = transport;
	await waitFor(transport.delayHeaders, request.signal);
	if (request.signal.aborted) return;
	if (cut?.at === 'start') return await breakOff(exchange, cut.how);
	const writes = isWhole(body) ? [body ?? ''] : body;
	if (reply.verbatim === true) {
		for await (const bytes of writes) await write(socket, bytes);
		socket.end();
		return;
	}
	const isSized = isWhole(body) && cut === undefined;
	const length = isSized ? [['Content-Length', String(Buffer.byteLength(body ?? ''))]] : [];
	response.writeHead(reply.status, [...headers, ...length].flat());
	let events = 0;
	for await (const bytes of writes) {
		if (bytes.length > 0) await write(response, bytes);
		if (request.signal.aborted) return;
		events += bytes.toString().split('\n\n').length - 1;
		if (typeof cut?.at === 'object' && events >= cut.at.event)
			return await breakOff(exchange, cut.how);
	}
	if (cut?.at !== 'end') return void response.end();
	response.flushHeaders();
	await breakOff(exchange, cut.how);
}

function parseJson(bytes: Buffer): unknown {
	try {
		return JSON.parse(bytes.toString('utf8')) as unknown;
	} catch {
		return undefined;
	}
}

async function readRequest(
	incoming: http.IncomingMessage,
	connection: number,
	signal: AbortSignal,
): Promise<WireRequest> {
	const chunks: Buffer[] = [];
	for await (const chunk of incoming) chunks.push(chunk as Buffer);
	const bytes = Buffer.concat(chunks);
	const { method = '', url = '', headers, rawHeaders } = incoming;
	const [path = '', query] = url.split('?');
	return {
		method,
		path,
		query: new URLSearchParams(query),
		headers: headers as Record<string, string>,
		rawHeaders,
		bytes,
		body: parseJson(bytes),
		connection,
		signal,
	};
}

/** Starts the server; resolves when it listens. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
	const requests: WireRequest[] = [];
	const sockets = new Map<net.Socket, number>();
	let accepted = 0;
	const protocol = http.createServer((incoming, response) => {
		const { socket } = incoming;
		const left = new AbortController();
		response.on('close', () => (response.writableFinished ? undefined : left.abort()));
		// The client disconnected.
		response.on('error', () => undefined);
		const serve = async () => {
			const request = await readRequest(incoming, sockets.get(socket) ?? -1, left.signal);
			requests.push(request);
			await options.handle({ request, response, socket });
		};
		// A failing handler is a bug of the simulator, unless the client disconnected while sending.
		serve().catch(() => socket.resetAndDestroy());
	});
	const onSocket = (socket: net.Socket): void => {
		const fate = options.connections?.(accepted) ?? 'serve';
		sockets.set(socket, accepted);
		accepted += 1;
		socket.setNoDelay(true);
		socket.on('close', () => sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		if (fate === 'serve') protocol.emit('connection', socket);
		else if (fate === 'fin') socket.end();
		else if (fate === 'rst') socket.resetAndDestroy();
		else if (fate !== 'silent') socket.end(fate.greet);
	};
	const server = options.tls ? tls.createServer(options.tls, onSocket) : net.createServer(onSocket);
	// A failed handshake is reported by the client.
	server.on('tlsClientError', () => undefined);
	const { host, port } = options;
	const listening = await startListening(server, { host, port });
	return {
		...listening,
		url: options.tls ? listening.url.replace('http', 'https') : listening.url,
		requests,
		get accepted() {
			return accepted;
		},
		get open() {
			return sockets.size;
		},
	};
}
