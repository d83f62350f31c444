/**
 * An HTTP client that returns the received bytes unchanged, with their times. HTTP libraries merge chunks, reuse
 * connections and reorder headers, so they cannot check simulators.
 */
import { net, tls } from './node';
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
	/** State of the connection after the answer: open, closed (FIN) or reset (RST). */
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

/** Whether an answer is complete. */
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

/** One connection, for any number of requests in sequence. */
export class RawConnection {
	private received: Buffer = Buffer.alloc(0);
	private state: RawAnswer['end'] = 'open';
	private readonly waiting = new Set<() => void>();

	private constructor(readonly socket: net.Socket) {
		const wake = (): void => {
			for (const resolve of this.waiting) resolve();
			this.waiting.clear();
		};
		socket.on('data', (bytes: Buffer) => {
			this.received = Buffer.concat([this.received, bytes]);
			wake();
		});
		socket.on('error', () => {
			this.state = 'rst';
			wake();
		});
		socket.on('end', () => {
			this.state = 'fin';
			wake();
		});
	}

	static async open(url: string, ca?: string): Promise<RawConnection> {
		const { hostname, port, protocol } = new URL(url);
		const socket =
			protocol === 'https:'
				? tls.connect({ host: hostname, port: Number(port), ca })
				: net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
		const connection = new RawConnection(socket);
		await new Promise<void>((resolve, reject) => {
			socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => resolve());
			// A server that resets on accept may do so before `connect` is seen.
			socket.once('error', (error: NodeJS.ErrnoException) =>
				error.code === 'ECONNRESET' ? resolve() : reject(error),
			);
		});
		return connection;
	}

	send(request: RawRequest): void {
		this.socket.write(encode(request));
	}

	get bytes(): Buffer {
		return this.received;
	}

	get end(): RawAnswer['end'] {
		return this.state;
	}

	/** Waits until the received bytes satisfy the condition, or the connection has ended. */
	async until(condition: (bytes: Buffer) => boolean): Promise<void> {
		while (!condition(this.received) && this.state === 'open') {
			await new Promise<void>((resolve) => {
				this.waiting.add(resolve);
			});
		}
	}

	/** Sends and waits for the whole answer, or for the end of the connection. */
	async ask(request: RawRequest): Promise<RawAnswer> {
		this.received = Buffer.alloc(0);
		this.send(request);
		const head = request.method === 'HEAD';
		await this.until((bytes) => complete(bytes, head));
		return { ...parseHttp(this.received), bytes: this.received, end: this.state };
	}

	/** Waits for the other side to close. */
	async closed(): Promise<RawAnswer['end']> {
		await this.until(() => false);
		return this.state;
	}

	destroy(): void {
		this.socket.destroy();
	}
}

/** Sends one request on a new connection. */
export const rawAsk = async (url: string, request: RawRequest): Promise<RawAnswer> => {
	const connection = await RawConnection.open(url);
	try {
		return await connection.ask(request);
	} finally {
		connection.destroy();
	}
};
