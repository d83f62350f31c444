/**
 * An HTTP/1.1 server on plain sockets. Node's own server adds and reorders headers and hides chunk framing, so simulators
 * that must be exact to the byte write their answers themselves.
 */
import { listen } from '../support/listen';
import * as net from 'node:net';
import * as tls from 'node:tls';

/** How an exchange ended: the answer was sent, or the client disconnected first. */
export type EndedBy = 'server' | 'client-abort';

/** One received request and its outcome. The fields after `signal` change while it is served. */
export interface WireRequest {
	readonly method: string;
	/** As sent: path and query. */
	readonly target: string;
	readonly path: string;
	readonly query: URLSearchParams;
	/** Names in lower case; repeated headers are joined with `, `. */
	readonly headers: Readonly<Record<string, string>>;
	readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>;
	readonly bytes: Buffer;
	/** The body parsed as JSON; `undefined` if it is not JSON. */
	readonly body: unknown;
	/** Connections are numbered from 0 in order of acceptance. */
	readonly connection: number;
	/** Aborts when the client disconnects before its answer is complete, and when the server closes. */
	readonly signal: AbortSignal;
	/** Sent status, if any. */
	status?: number;
	/** When the status line was sent, in milliseconds since the epoch. */
	headersSentAt?: number;
	endedBy?: EndedBy;
}

/** The server's side of one request and answer. */
export interface Exchange {
	readonly request: WireRequest;
	readonly socket: net.Socket;
	/** Resolves when the bytes were passed to the system, or the connection is closed. */
	write(bytes: Buffer | string): Promise<void>;
	/** False if the client requires closing the connection afterwards. */
	readonly keepAlive: boolean;
	/** Call last: closes the connection after the answer. */
	closeAfter(): void;
}

/** Treatment of a new connection. `silent`: accepted, never read. `greet`: this text is sent instead of HTTP. */
export type ConnectionFate = 'serve' | 'silent' | 'fin' | 'rst' | { greet: string };

export interface RawHttpOptions {
	handle(exchange: Exchange): Promise<void>;
	host?: string;
	port?: number;
	/** PEM key and certificate for https. */
	tls?: { key: string; cert: string };
	/** Decides per connection, counted from 0. */
	connections?: (index: number) => ConnectionFate;
}

export interface RawHttpServer {
	readonly port: number;
	readonly host: string;
	readonly requests: WireRequest[];
	/** Number of connections accepted so far. */
	readonly accepted: number;
	/** Number of connections open now. */
	readonly open: number;
	/** Stops listening, destroys every socket, aborts every exchange. */
	close(): Promise<void>;
}

interface Head {
	method: string;
	target: string;
	rawHeaders: Array<[string, string]>;
	headers: Record<string, string>;
	length: number;
}

function parseHead(text: string): Head {
	const [requestLine = '', ...lines] = text.split('\r\n');
	const [method = '', target = ''] = requestLine.split(' ');
	const rawHeaders = lines.map((line): [string, string] => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
	const headers: Record<string, string> = {};
	for (const [name, value] of rawHeaders) {
		const key = name.toLowerCase();
		headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
	}
	return { method, target, rawHeaders, headers, length: text.length + 4 };
}

/** Body of a chunked request; undefined if incomplete. */
function parseChunked(bytes: Buffer): { body: Buffer; used: number } | undefined {
	const parts: Buffer[] = [];
	let at = 0;
	for (;;) {
		const lineEnd = bytes.indexOf('\r\n', at);
		if (lineEnd < 0) return undefined;
		const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
		const start = lineEnd + 2;
		if (bytes.length < start + size + 2) return undefined;
		if (size === 0) return { body: Buffer.concat(parts), used: start + 2 };
		parts.push(bytes.subarray(start, start + size));
		at = start + size + 2;
	}
}

function parseJson(bytes: Buffer): unknown {
	try {
		return JSON.parse(bytes.toString('utf8')) as unknown;
	} catch {
		return undefined;
	}
}

/** One accepted socket: collects bytes, serves one request at a time, in order. */
class Connection {
	private buffer: Buffer = Buffer.alloc(0);
	private current: { request: WireRequest; abort: AbortController } | undefined;
	private ended = false;

	constructor(
		private readonly socket: net.Socket,
		private readonly index: number,
		private readonly options: RawHttpOptions,
		private readonly requests: WireRequest[],
	) {
		socket.setNoDelay(true);
		socket.on('data', (bytes: Buffer) => {
			this.buffer = Buffer.concat([this.buffer, bytes]);
			this.next();
		});
		// llama-server treats a half-closed connection as a disconnect.
		socket.on('end', () => {
			this.ended = true;
			this.abort();
			this.socket.end();
		});
		socket.on('error', () => this.abort());
		socket.on('close', () => this.abort());
	}

	abort(by: EndedBy = 'client-abort'): void {
		const { current } = this;
		if (!current) return;
		this.current = undefined;
		current.request.endedBy ??= by;
		current.abort.abort();
	}

	private next(): void {
		if (this.current || this.ended || this.buffer.length === 0) return;
		const end = this.buffer.indexOf('\r\n\r\n');
		if (end < 0) return;
		const head = parseHead(this.buffer.toString('latin1', 0, end));
		const rest = this.buffer.subarray(head.length);
		if (/chunked/i.test(head.headers['transfer-encoding'] ?? '')) {
			const chunked = parseChunked(rest);
			if (!chunked) return;
			this.buffer = rest.subarray(chunked.used);
			this.serve(head, chunked.body);
			return;
		}
		const length = Number(head.headers['content-length'] ?? 0);
		if (rest.length < length) return;
		this.buffer = rest.subarray(length);
		this.serve(head, Buffer.from(rest.subarray(0, length)));
	}

	private record(head: Head, bytes: Buffer, signal: AbortSignal): WireRequest {
		const { method, target, headers, rawHeaders } = head;
		const [path = '', query] = target.split('?');
		const request: WireRequest = {
			method,
			target,
			path,
			query: new URLSearchParams(query),
			headers,
			rawHeaders,
			bytes,
			body: parseJson(bytes),
			connection: this.index,
			signal,
		};
		this.requests.push(request);
		return request;
	}

	private serve(head: Head, body: Buffer): void {
		const abort = new AbortController();
		const request = this.record(head, body, abort.signal);
		this.current = { request, abort };
		const keepAlive = !/close/i.test(head.headers.connection ?? '');
		let close = !keepAlive;
		const exchange: Exchange = {
			request,
			socket: this.socket,
			keepAlive,
			write: (bytes) => this.write(request, bytes),
			closeAfter: () => {
				close = true;
			},
		};
		const finished = (): void => {
			if (this.current?.request !== request) return;
			this.current = undefined;
			request.endedBy = 'server';
			if (close) {
				this.socket.end();
				this.ended = true;
			} else this.next();
		};
		this.options.handle(exchange).then(finished, () => {
			// A failing handler is a bug of the simulator: make it visible to the client.
			this.socket.resetAndDestroy();
		});
	}

	private write(request: WireRequest, bytes: Buffer | string): Promise<void> {
		if (this.socket.destroyed || request.signal.aborted || this.socket.writableEnded)
			return Promise.resolve();
		return new Promise((resolve) => {
			this.socket.write(bytes, () => resolve());
		});
	}
}

/** Starts the server; resolves when it listens. */
export const startRawHttpServer = async (options: RawHttpOptions): Promise<RawHttpServer> => {
	const requests: WireRequest[] = [];
	const sockets = new Set<net.Socket>();
	const connections = new Set<Connection>();
	let accepted = 0;

	const onSocket = (socket: net.Socket): void => {
		const index = accepted;
		accepted += 1;
		sockets.add(socket);
		socket.on('close', () => sockets.delete(socket));
		const fate = options.connections?.(index) ?? 'serve';
		if (fate === 'serve') {
			connections.add(new Connection(socket, index, options, requests));
			return;
		}
		socket.on('error', () => socket.destroy());
		if (fate === 'silent') socket.pause();
		else if (fate === 'fin') socket.end();
		else if (fate === 'rst') socket.resetAndDestroy();
		else socket.end(fate.greet);
	};
	const server = options.tls
		? tls.createServer({ ...options.tls, allowHalfOpen: true }, onSocket)
		: net.createServer({ allowHalfOpen: true }, onSocket);
	// A failed handshake is reported by the client.
	server.on('tlsClientError', () => undefined);
	if (options.tls) server.on('connection', (socket: net.Socket) => sockets.add(socket));

	const host = options.host ?? '127.0.0.1';
	const port = await listen(server, { port: options.port, host });

	return {
		port,
		host,
		requests,
		get accepted() {
			return accepted;
		},
		get open() {
			return sockets.size;
		},
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				for (const connection of connections) connection.abort('server');
				for (const socket of sockets) socket.destroy();
			}),
	};
};
