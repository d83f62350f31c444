/**
 * A loopback server for faults at any point: at the first byte of a connection, during a request, or within a response.
 * It parses requests, but writes nothing itself.
 */
import { listen } from '../support/listen';
import { net, setTimeout } from '../support/node-builtins';

/** One request, and the socket for its response. */
export interface FaultRequest {
	readonly method: string;
	/** Path and query, as sent. */
	readonly target: string;
	readonly path: string;
	/** Names in lower case. */
	readonly headers: Readonly<Record<string, string>>;
	readonly socket: net.Socket;
	/** The body so far; complete once `whole` has resolved. */
	body(): Buffer;
	/** Resolves when the whole request has arrived; never if the client disconnected before. */
	readonly whole: Promise<void>;
	/** 0 for the first request with this method and path. */
	readonly index: number;
	/** The client has disconnected, or the connection broke. */
	readonly isDisconnected: boolean;
	/** Call after the last byte of the response: frees the connection for another request. */
	answered(): void;
}

export interface FaultServerOptions {
	/** Called when the head of a request has arrived; its body may be incomplete. */
	handle(request: FaultRequest): void | Promise<void>;
	/** Handles a new connection itself, so that no request is read from it. */
	connection?: (socket: net.Socket) => boolean;
	/** A path prefix that is removed: makes the URL unique, so that facts cached for another server do not apply. */
	prefix?: string;
	/** Discards request bodies: large uploads would fill the memory. */
	forgetBodies?: boolean;
}

export interface FaultServer {
	readonly port: number;
	/** With the prefix. */
	readonly url: string;
	/** Requests with an incomplete response and a connected client. */
	readonly held: number;
	/** Open connections, without idle ones. */
	readonly busy: number;
	/** Every request so far: method and path. */
	readonly log: readonly string[];
	/** Refuses new connections from now on. */
	stopListening(): void;
	/** Reads all pending data, so that disconnects are noticed; resolves when no client is left. */
	settle(limitMs: number): Promise<void>;
	close(): Promise<void>;
}

interface Link {
	socket: net.Socket;
	hasRequest: boolean;
	taken: boolean;
}

/** Starts on a free port of 127.0.0.1. */
export async function startFaultServer(options: FaultServerOptions): Promise<FaultServer> {
	const links = new Set<Link>();
	const log: string[] = [];
	const counts = new Map<string, number>();
	const server = net.createServer((socket) => {
		const link: Link = { socket, hasRequest: false, taken: false };
		links.add(link);
		socket.setNoDelay(true);
		socket.on('error', () => socket.destroy());
		// A half-closed connection counts as a disconnect: this package's clients never half-close.
		socket.on('end', () => socket.destroy());
		socket.on('close', () => links.delete(link));
		if (options.connection?.(socket) === true) {
			link.taken = true;
			return;
		}
		readRequests(link, options, (key) => {
			const index = counts.get(key) ?? 0;
			counts.set(key, index + 1);
			log.push(key);
			return index;
		});
	});
	// The system may assign a port that was just closed, and must refuse connections, to the next server.
	const port = await listen(server);
	const getOpenRequests = () => [...links].filter(({ hasRequest }) => hasRequest).length;
	const busy = () => [...links].filter(({ hasRequest, taken }) => hasRequest || taken).length;
	return {
		port,
		url: `http://127.0.0.1:${port}${options.prefix ?? ''}`,
		log,
		get held() {
			return getOpenRequests();
		},
		get busy() {
			return busy();
		},
		stopListening: () => void server.close(),
		settle: async (limitMs) => {
			const end = performance.now() + limitMs;
			do {
				for (const { socket } of links) socket.resume();
				await pause(20);
			} while (busy() > 0 && performance.now() < end);
		},
		close: async () => {
			for (const { socket } of links) socket.destroy();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}

/** Waits for a number of milliseconds. */
export async function pause(ms: number): Promise<void> {
	await new Promise<void>((resolve) => {
		setTimeout(resolve, ms);
	});
}

/** Like `pause`, without keeping the process alive. */
export async function expiry(ms: number): Promise<undefined> {
	return await new Promise((resolve) => {
		setTimeout(() => resolve(undefined), ms).unref();
	});
}

/** Writes, and waits until the system has accepted the bytes. @returns false if the connection is closed */
export async function send(socket: net.Socket, bytes: string | Buffer): Promise<boolean> {
	if (socket.destroyed || socket.writableEnded) return false;
	if (socket.write(bytes)) return true;
	await new Promise<void>((resolve) => {
		const done = () => {
			socket.off('drain', done);
			socket.off('close', done);
			resolve();
		};
		socket.once('drain', done);
		socket.once('close', done);
	});
	return !socket.destroyed;
}

function readRequests(
	link: Link,
	options: FaultServerOptions,
	counted: (key: string) => number,
): void {
	const { socket } = link;
	let pending = Buffer.alloc(0);
	let reading: BodyReader | undefined;

	const begin = (): void => {
		const end = pending.indexOf('\r\n\r\n');
		if (end < 0 || link.hasRequest) return;
		const [first = '', ...lines] = pending.toString('latin1', 0, end).split('\r\n');
		const [method = '', sent = ''] = first.split(' ');
		const { prefix = '' } = options;
		const target = sent.startsWith(prefix) ? sent.slice(prefix.length) : sent;
		const headers = Object.fromEntries(
			lines.map((line) => {
				const colon = line.indexOf(':');
				return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
			}),
		);
		const rest = pending.subarray(end + 4);
		pending = Buffer.alloc(0);
		link.hasRequest = true;
		const path = target.split('?')[0]!;
		const body = new BodyReader(headers, options.forgetBodies === true);
		reading = body;
		const request: FaultRequest = {
			method,
			target,
			path,
			headers,
			socket,
			body: () => body.bytes(),
			whole: body.whole,
			index: counted(`${method} ${path}`),
			get isDisconnected() {
				return socket.destroyed;
			},
			answered: () => {
				reading = undefined;
				link.hasRequest = false;
				begin();
			},
		};
		void options.handle(request);
		if (body.take(rest)) reading = undefined;
	};

	socket.on('data', (bytes: Buffer) => {
		if (reading !== undefined) {
			if (reading.take(bytes)) reading = undefined;
			return;
		}
		pending = Buffer.concat([pending, bytes]);
		begin();
	});
}

/** The body of a request while it arrives. */
class BodyReader {
	readonly whole: Promise<void>;
	private readonly pieces: Buffer[] = [];
	private readonly length: number;
	private readonly isChunked: boolean;
	private received = 0;
	private tail = '';
	private done = () => {};

	constructor(
		headers: Readonly<Record<string, string>>,
		private readonly forget: boolean,
	) {
		this.length = Number(headers['content-length'] ?? 0);
		this.isChunked = /chunked/i.test(headers['transfer-encoding'] ?? '');
		this.whole = new Promise((resolve) => {
			this.done = resolve;
		});
	}

	/** @returns whether the body is complete */
	take(bytes: Buffer): boolean {
		this.received += bytes.length;
		if (!this.forget && bytes.length > 0) this.pieces.push(bytes);
		this.tail = (this.tail + bytes.toString('latin1', Math.max(0, bytes.length - 5))).slice(-5);
		const complete = this.isChunked ? this.tail === '0\r\n\r\n' : this.received >= this.length;
		if (complete) this.done();
		return complete;
	}

	bytes(): Buffer {
		return Buffer.concat(this.pieces);
	}
}
