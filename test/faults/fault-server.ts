/**
 * A server on loopback that goes wrong wherever a test wants it to: at the first byte of a connection, while a request
 * is still being sent, or anywhere in an answer. It takes connections and requests apart and writes nothing by itself.
 */
import { net, setTimeout } from '../support/node';

/** One request, and the socket that it is to be answered on. */
export interface Asked {
	readonly method: string;
	/** Path and query, as sent. */
	readonly target: string;
	readonly path: string;
	/** Names in lower case. */
	readonly headers: Readonly<Record<string, string>>;
	readonly socket: net.Socket;
	/** The body as far as it has arrived. Complete once `whole` has resolved. */
	body(): Buffer;
	/** Resolves when the whole request is there; never where the client left before. */
	readonly whole: Promise<void>;
	/** 0 for the first request with this method and path. */
	readonly index: number;
	/** The client has left, or the connection broke. */
	readonly gone: boolean;
	/** To be called behind the last byte of the answer: the connection is free for another request. */
	answered(): void;
}

export interface FaultServerOptions {
	/** Called when the head of a request is there; its body may still be on its way. */
	handle(asked: Asked): void | Promise<void>;
	/** Takes a new connection over, so that no request is read from it. */
	connection?: (socket: net.Socket) => boolean;
	/** A path that every address begins with, and that is taken off: nothing that was learned about another server counts. */
	prefix?: string;
	/** Do not keep what was sent: large uploads would fill the memory. */
	forgetBodies?: boolean;
}

export interface FaultServer {
	readonly port: number;
	/** With the prefix. */
	readonly url: string;
	/** Requests whose answer is not complete, and whose client has not left. */
	readonly held: number;
	/** Connections that are open, those that wait for another request left out. */
	readonly busy: number;
	/** Every request so far: method and path. */
	readonly log: readonly string[];
	/** From now on new connections are refused. */
	stopListening(): void;
	/** Reads whatever is still on its way, so that a client that left is noticed; resolves as soon as nobody is left. */
	settle(limitMs: number): Promise<void>;
	close(): Promise<void>;
}

interface Link {
	socket: net.Socket;
	asked: boolean;
	taken: boolean;
}

/** Starts on a free port of 127.0.0.1. */
export async function startFaultServer(options: FaultServerOptions): Promise<FaultServer> {
	const links = new Set<Link>();
	const log: string[] = [];
	const counts = new Map<string, number>();
	const server = net.createServer((socket) => {
		const link: Link = { socket, asked: false, taken: false };
		links.add(link);
		socket.setNoDelay(true);
		socket.on('error', () => socket.destroy());
		// Whoever ends the sending side has left: no client of this package half-closes.
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
	const port = await new Promise<number>((resolve, reject) => {
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port));
	});
	const held = () => [...links].filter(({ asked }) => asked).length;
	const busy = () => [...links].filter(({ asked, taken }) => asked || taken).length;
	return {
		port,
		url: `http://127.0.0.1:${port}${options.prefix ?? ''}`,
		log,
		get held() {
			return held();
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

/** So many milliseconds. */
export async function pause(ms: number): Promise<void> {
	await new Promise<void>((resolve) => {
		setTimeout(resolve, ms);
	});
}

/** The same, for what nobody may wait for any more: it does not keep the process alive. */
export async function expiry(ms: number): Promise<undefined> {
	return await new Promise((resolve) => {
		setTimeout(() => resolve(undefined), ms).unref();
	});
}

/** Writes, and waits until the system has taken it. False where the connection is gone. */
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

function readRequests(link: Link, options: FaultServerOptions, counted: (key: string) => number): void {
	const { socket } = link;
	let held = Buffer.alloc(0);
	let reading: Reading | undefined;

	const begin = (): void => {
		const end = held.indexOf('\r\n\r\n');
		if (end < 0 || link.asked) return;
		const [first = '', ...lines] = held.toString('latin1', 0, end).split('\r\n');
		const [method = '', sent = ''] = first.split(' ');
		const { prefix = '' } = options;
		const target = sent.startsWith(prefix) ? sent.slice(prefix.length) : sent;
		const headers = Object.fromEntries(
			lines.map((line) => {
				const colon = line.indexOf(':');
				return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
			}),
		);
		const rest = held.subarray(end + 4);
		held = Buffer.alloc(0);
		link.asked = true;
		const path = target.split('?')[0]!;
		const body = new Reading(headers, options.forgetBodies === true);
		reading = body;
		const asked: Asked = {
			method,
			target,
			path,
			headers,
			socket,
			body: () => body.bytes(),
			whole: body.whole,
			index: counted(`${method} ${path}`),
			get gone() {
				return socket.destroyed;
			},
			answered: () => {
				reading = undefined;
				link.asked = false;
				begin();
			},
		};
		void options.handle(asked);
		if (body.take(rest)) reading = undefined;
	};

	socket.on('data', (bytes: Buffer) => {
		if (reading !== undefined) {
			if (reading.take(bytes)) reading = undefined;
			return;
		}
		held = Buffer.concat([held, bytes]);
		begin();
	});
}

/** The body of a request while it arrives. */
class Reading {
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
