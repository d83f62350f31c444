/**
 * An HTTP/1.1 server on plain sockets.
 *
 * Node's own server adds and reorders headers and hides chunk framing, so simulators that must be exact to the byte write
 * their answers themselves. Requests are parsed strictly enough for tests.
 */
import { listen } from '../support/listen';
import { net, tls } from '../support/node-builtins';

/** How an exchange ended: the answer was sent, or the client disconnected first. */
export type EndedBy = 'server' | 'client-abort';

/** One received request and its outcome. The fields after `signal` change while it is served. */
export interface WireRequest {
	/** 0, 1, 2 … in order of arrival. */
	readonly id: number;
	readonly method: string;
	/** As sent: path and query. */
	readonly target: string;
	readonly path: string;
	readonly query: URLSearchParams;
	readonly httpVersion: string;
	/** Names in lower case; repeated headers are joined with `, `. */
	readonly headers: Readonly<Record<string, string>>;
	readonly rawHeaders: ReadonlyArray<readonly [name: string, value: string]>;
	readonly bytes: Buffer;
	/** The body parsed as JSON; `undefined` if it is not JSON. */
	readonly body: unknown;
	/** Milliseconds since the epoch. */
	readonly receivedAt: number;
	/** Connections are numbered from 0 in order of acceptance. */
	readonly connection: number;
	/** 1 for the first request of its connection; more if the client reused it. */
	readonly requestOnConnection: number;
	/** Aborts when the client closes, resets or half-closes before its answer is complete, and when the server closes. */
	readonly signal: AbortSignal;
	/** Sent status, if any. */
	status?: number;
	/** When the status line was sent, in milliseconds since the epoch. */
	headersSentAt?: number;
	/** Bytes written for this request, status line included. */
	bytesSent: number;
	endedAt?: number;
	endedBy?: EndedBy;
	/** Time from arrival to the client's disconnect. */
	abortedAfterMs?: number;
	/** The client half-closed the connection before the end of the answer: llama-server treats that as a disconnect. */
	halfClosed: boolean;
}

/** The server's side of one request and answer. */
export interface Exchange {
	readonly request: WireRequest;
	readonly socket: net.Socket;
	/** Resolves when the bytes were passed to the system, or the connection is closed. */
	write(bytes: Buffer | string): Promise<void>;
	/** False if the client, the keep-alive limit or the protocol version requires closing the connection afterwards. */
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
	/** Connections are closed after `idleMs` without a request, and after `max` requests. */
	keepAlive?: { idleMs: number; max: number };
	/** PEM key and certificate for https. */
	tls?: { key: string; cert: string };
	/** Decides per connection, counted from 0. */
	connections?: (index: number) => ConnectionFate;
	/** Answer to bytes that are not an HTTP request. */
	badRequest?: string;
	/** Maximum bytes of a body; longer ones are answered with `tooLarge`. */
	maxBody?: (request: { headers: Readonly<Record<string, string>> }) => number;
	/** Complete answer for a body that is too long. */
	tooLarge?: string;
}

export interface RawHttpServer {
	readonly port: number;
	readonly host: string;
	readonly requests: WireRequest[];
	/** Number of connections accepted so far. */
	readonly accepted: number;
	/** Number of connections open now. */
	readonly open: number;
	/** Closes connections that wait for another request. */
	closeIdle(how?: 'fin' | 'rst'): void;
	/** Closes or resets every connection, like a crashed server. */
	dropAll(how?: 'fin' | 'rst'): void;
	/** Stops listening, destroys every socket, aborts every exchange. */
	close(): Promise<void>;
}

interface Head {
	method: string;
	target: string;
	httpVersion: string;
	rawHeaders: Array<[string, string]>;
	headers: Record<string, string>;
	length: number;
}

const parseHead = (text: string): Head | undefined => {
	const [requestLine = '', ...lines] = text.split('\r\n');
	const match = /^([A-Z]+) (\S+) HTTP\/(1\.[01])$/.exec(requestLine);
	if (!match) return undefined;
	const rawHeaders: Array<[string, string]> = [];
	const headers: Record<string, string> = {};
	for (const line of lines) {
		const colon = line.indexOf(':');
		if (colon < 1) return undefined;
		const name = line.slice(0, colon);
		const value = line.slice(colon + 1).trim();
		rawHeaders.push([name, value]);
		const key = name.toLowerCase();
		headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
	}
	return {
		method: match[1]!,
		target: match[2]!,
		httpVersion: match[3]!,
		rawHeaders,
		headers,
		length: text.length + 4,
	};
};

/** Body of a chunked request; undefined if incomplete. */
const parseChunked = (bytes: Buffer): { body: Buffer; used: number } | undefined => {
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
};

const parseJson = (bytes: Buffer): unknown => {
	try {
		return JSON.parse(bytes.toString('utf8')) as unknown;
	} catch {
		return undefined;
	}
};

/** One accepted socket: collects bytes, serves one request at a time, in order. */
class Connection {
	private buffer: Buffer = Buffer.alloc(0);
	private served = 0;
	private current: { request: WireRequest; abort: AbortController } | undefined;
	private ended = false;
	private readonly idleMs: number;
	private readonly max: number;

	constructor(
		private readonly socket: net.Socket,
		private readonly index: number,
		private readonly options: RawHttpOptions,
		private readonly requests: WireRequest[],
	) {
		this.idleMs = options.keepAlive?.idleMs ?? 5000;
		this.max = options.keepAlive?.max ?? 100;
		socket.setNoDelay(true);
		// The timeout is for idle connections only, not for answers.
		socket.setTimeout(this.idleMs, () =>
			this.whenIdle(() => {
				// Later bytes were sent too late and get no response.
				this.ended = true;
				this.socket.end();
			}),
		);
		socket.on('data', (bytes: Buffer) => {
			this.buffer = Buffer.concat([this.buffer, bytes]);
			this.next();
		});
		socket.on('end', () => {
			this.ended = true;
			if (this.current) {
				this.current.request.halfClosed = true;
				this.abort();
			}
			this.socket.end();
		});
		socket.on('error', () => this.abort());
		socket.on('close', () => this.abort());
	}

	/** Calls `act` if the connection is idle. */
	whenIdle(act: () => void): void {
		if (!this.current) act();
	}

	/** Closes the connection, even during an answer. */
	close(how: 'fin' | 'rst'): void {
		this.abort('server');
		if (how === 'rst') this.socket.resetAndDestroy();
		else this.socket.destroy();
	}

	abort(by: EndedBy = 'client-abort'): void {
		const { current } = this;
		if (!current) return;
		this.current = undefined;
		const { request } = current;
		if (request.endedBy === undefined) {
			request.endedAt = Date.now();
			request.endedBy = by;
			if (by === 'client-abort') request.abortedAfterMs = request.endedAt - request.receivedAt;
		}
		current.abort.abort();
	}

	private next(): void {
		if (this.current || this.ended || this.buffer.length === 0) return;
		const end = this.buffer.indexOf('\r\n\r\n');
		if (end < 0) return;
		const head = parseHead(this.buffer.toString('latin1', 0, end));
		if (!head) {
			this.buffer = Buffer.alloc(0);
			this.socket.write(
				this.options.badRequest ?? 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
			);
			return;
		}
		const rest = this.buffer.subarray(head.length);
		const length = Number(head.headers['content-length'] ?? 0);
		const limit = this.options.maxBody?.(head) ?? Infinity;
		if (length > limit || rest.length > limit) {
			this.refuse(head, length - rest.length);
			return;
		}
		let body: Buffer;
		if (/chunked/i.test(head.headers['transfer-encoding'] ?? '')) {
			this.promise100(head);
			const chunked = parseChunked(rest);
			if (!chunked) return;
			body = chunked.body;
			this.buffer = rest.subarray(chunked.used);
		} else {
			if (rest.length < length) {
				this.promise100(head);
				return;
			}
			body = rest.subarray(0, length);
			this.buffer = rest.subarray(length);
		}
		this.serve(head, Buffer.from(body));
	}

	private promised = false;

	private promise100(head: Head): void {
		if (this.promised || !/100-continue/i.test(head.headers.expect ?? '')) return;
		this.promised = true;
		this.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
	}

	private record(head: Head, body: Buffer, signal: AbortSignal): WireRequest {
		const question = head.target.indexOf('?');
		this.served += 1;
		const request: WireRequest = {
			id: this.requests.length,
			method: head.method,
			target: head.target,
			path: question < 0 ? head.target : head.target.slice(0, question),
			query: new URLSearchParams(question < 0 ? '' : head.target.slice(question + 1)),
			httpVersion: head.httpVersion,
			headers: head.headers,
			rawHeaders: head.rawHeaders,
			bytes: body,
			body: parseJson(body),
			receivedAt: Date.now(),
			connection: this.index,
			requestOnConnection: this.served,
			signal,
			bytesSent: 0,
			halfClosed: false,
		};
		this.requests.push(request);
		return request;
	}

	/** Refuses a body that is too long; its rest is discarded, and the connection closed. */
	private refuse(head: Head, missing: number): void {
		const request = this.record(head, Buffer.alloc(0), new AbortController().signal);
		this.buffer = Buffer.alloc(0);
		this.socket.removeAllListeners('data');
		this.socket.resume();
		request.status = 413;
		request.headersSentAt = request.endedAt = Date.now();
		request.endedBy = 'server';
		const answer =
			this.options.tooLarge ?? 'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n';
		let received = 0;
		// Respond only after the client has sent everything: otherwise a reset could discard the response.
		const answerWhenSent = (bytes: number): void => {
			received += bytes;
			if (received >= missing) this.socket.end(answer);
		};
		this.socket.on('data', (bytes: Buffer) => answerWhenSent(bytes.length));
		answerWhenSent(0);
		this.ended = true;
	}

	private serve(head: Head, body: Buffer): void {
		const abort = new AbortController();
		const request = this.record(head, body, abort.signal);
		this.promised = false;
		this.current = { request, abort };
		this.socket.setTimeout(0);
		const wantsClose = /close/i.test(head.headers.connection ?? '') || head.httpVersion === '1.0';
		const keepAlive = !wantsClose && this.served < this.max;
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
			request.endedAt = Date.now();
			request.endedBy = 'server';
			if (close) {
				this.socket.end();
				this.ended = true;
				return;
			}
			this.socket.setTimeout(this.idleMs);
			this.next();
		};
		this.options.handle(exchange).then(finished, () => {
			// A failing handler is a bug of the simulator: make it visible to the client.
			if (this.current?.request === request) this.socket.resetAndDestroy();
		});
	}

	private write(request: WireRequest, bytes: Buffer | string): Promise<void> {
		if (this.socket.destroyed || request.signal.aborted || this.socket.writableEnded)
			return Promise.resolve();
		request.bytesSent += Buffer.byteLength(bytes);
		return new Promise((resolve) => {
			this.socket.write(bytes, () => resolve());
		});
	}
}

/** Starts the server; resolves when it listens. */
export const startRawHttpServer = async (options: RawHttpOptions): Promise<RawHttpServer> => {
	const requests: WireRequest[] = [];
	const sockets = new Set<net.Socket>();
	const connections = new Map<net.Socket, Connection>();
	let accepted = 0;

	const onSocket = (socket: net.Socket): void => {
		const index = accepted;
		accepted += 1;
		sockets.add(socket);
		socket.on('close', () => {
			sockets.delete(socket);
			connections.delete(socket);
		});
		const fate = options.connections?.(index) ?? 'serve';
		if (fate === 'serve') {
			connections.set(socket, new Connection(socket, index, options, requests));
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
		closeIdle: (how = 'fin') => {
			for (const connection of connections.values())
				connection.whenIdle(() => connection.close(how));
		},
		dropAll: (how = 'rst') => {
			for (const connection of connections.values()) connection.close(how);
		},
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				for (const connection of connections.values()) connection.abort('server');
				for (const socket of sockets) socket.destroy();
			}),
	};
};
