/**
 * A proxy that keeps the answers to requests with `X-Conversation-Id`, like a newer llama-server
 * (docs/protocols/llama-server-new.md 1), and breaks connections on demand.
 */
import { listen } from '../support/listening';
import { http } from '../support/node';

export interface KeptAnswersProxyOptions {
	/** Whether answers are kept. `server`: by the server behind it, requests pass unchanged. Default: true. */
	keeps?: boolean | 'server';
	/** Called for each answer: bytes of the body before the connection breaks; undefined: all. */
	breakAfter?: (request: { method: string; target: string }) => number | undefined;
	/** Instead of breaking, the body ends as if it were complete. */
	breaksCleanly?: boolean;
	/** Whether a gateway in front drops `from`, so that every answer begins at its first byte. */
	dropsFrom?: boolean;
	/** Bytes that are kept of each answer. Default: 4 MiB. */
	bufferBytes?: number;
}

export interface KeptAnswersProxy {
	readonly url: string;
	/** Method and target of all requests. */
	readonly log: string[];
	/** Number of running generations. */
	readonly running: number;
	close(): Promise<void>;
}

/** A kept answer, complete or in progress. */
class Kept {
	private pieces: Buffer[] = [];
	total = 0;
	isOver = false;
	private readonly listeners = new Set<() => void>();

	constructor(
		readonly stop: () => void,
		private readonly most: number,
	) {}

	add(bytes: Buffer): void {
		this.pieces.push(bytes);
		this.total += bytes.length;
		this.listeners.forEach((listener) => listener());
	}

	end(): void {
		this.isOver = true;
		this.listeners.forEach((listener) => listener());
	}

	hasFrom(from: number): boolean {
		return from >= this.total - this.most;
	}

	from(at: number): Buffer {
		return Buffer.concat(this.pieces).subarray(at);
	}

	onMore(listener: () => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}
}

function without<T extends object>(names: readonly string[], fields: T): T {
	return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name))) as T;
}

const error = (code: number, message: string, type: string) =>
	JSON.stringify({ error: { code, message, type } });

export async function startKeptAnswersProxy(
	target: string,
	options: KeptAnswersProxyOptions = {},
): Promise<KeptAnswersProxy> {
	const { keeps = true, breakAfter = () => undefined, breaksCleanly = false } = options;
	const { dropsFrom = false, bufferBytes = 4 * 1024 * 1024 } = options;
	const log: string[] = [];
	const answers = new Map<string, Kept>();

	/** Sends a kept answer from a byte offset, until the end or `most` bytes. */
	const pass = (
		kept: Kept,
		from: number,
		most: number | undefined,
		outgoing: http.ServerResponse,
	) => {
		let sent = 0;
		const write = () => {
			const bytes = kept.from(from + sent);
			const allowed = most === undefined ? bytes.length : Math.min(bytes.length, most - sent);
			if (allowed > 0) outgoing.write(bytes.subarray(0, allowed));
			sent += allowed;
			const isCut =
				most !== undefined && sent >= most && !(kept.isOver && from + sent >= kept.total);
			if (isCut || (kept.isOver && from + sent >= kept.total)) {
				off();
				// Flush the written data before the socket breaks.
				if (isCut && !breaksCleanly) outgoing.write('', () => outgoing.socket?.resetAndDestroy());
				else outgoing.end();
			}
		};
		const off = kept.onMore(write);
		outgoing.on('close', off);
		write();
	};

	const begin = (
		incoming: http.IncomingMessage,
		outgoing: http.ServerResponse,
		id: string | undefined,
	) => {
		// The server behind gets no conversation ID: only the proxy keeps answers.
		const headers = without(
			keeps === 'server' ? ['host'] : ['host', 'x-conversation-id'],
			incoming.headers,
		);
		const request = { method: incoming.method ?? '', target: incoming.url ?? '' };
		const onward = http.request(new URL(request.target, target), {
			method: request.method,
			headers,
			agent: false,
		});
		const kept = new Kept(() => {
			onward.destroy();
			kept.end();
		}, bufferBytes);
		if (id !== undefined) {
			answers.get(id)?.stop();
			answers.set(id, kept);
		} else outgoing.on('close', () => onward.destroy());
		onward.on('response', (answer) => {
			outgoing.writeHead(answer.statusCode ?? 502, without(['content-length'], answer.headers));
			answer.on('data', (bytes: Buffer) => kept.add(bytes));
			answer.on('end', () => kept.end());
			answer.on('error', () => kept.end());
			pass(kept, 0, breakAfter(request), outgoing);
		});
		onward.on('error', () => kept.end());
		incoming.pipe(onward);
	};

	const server = http.createServer((incoming, outgoing) => {
		const { method = '', url = '' } = incoming;
		log.push(`${method} ${url.replace(/conv_id=[^&]*/, 'conv_id=ID')}`);
		const { pathname, searchParams } = new URL(url, target);
		const conversation = incoming.headers['x-conversation-id'];
		if (keeps !== true || !['/v1/stream', '/v1/streams/lookup'].includes(pathname)) {
			begin(
				incoming,
				outgoing,
				keeps === true && typeof conversation === 'string' ? conversation : undefined,
			);
			return;
		}
		if (pathname === '/v1/streams/lookup') {
			outgoing.setHeader('content-type', 'application/json').end('[]');
			return;
		}
		const kept = answers.get(searchParams.get('conv_id') ?? '');
		if (method === 'DELETE') {
			kept?.stop();
			outgoing.writeHead(204).end();
			return;
		}
		const from = dropsFrom ? 0 : Number(searchParams.get('from') ?? '0');
		if (kept === undefined)
			outgoing.writeHead(404).end(error(404, 'File Not Found', 'not_found_error'));
		else if (!kept.hasFrom(from))
			outgoing
				.writeHead(400)
				.end(error(400, 'Stream offset lost, please restart', 'invalid_request_error'));
		else {
			outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
			pass(kept, from, breakAfter({ method, target: url }), outgoing);
		}
	});
	const port = await listen(server);
	return {
		url: `http://127.0.0.1:${port}`,
		log,
		get running() {
			return [...answers.values()].filter(({ isOver }) => !isOver).length;
		},
		close: async () =>
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
