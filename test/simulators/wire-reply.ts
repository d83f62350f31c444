/**
 * Exact HTTP answers. A simulator describes its answer as a `WireReply`: status, headers in wire order, and a body as a
 * sequence of writes. `Transport` changes it like a network, a proxy or a dying server.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from './raw-http';

/** One write of a body: llama-server sends each as one HTTP chunk. */
export type Write = Buffer | string;

export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>;

export interface WireReply {
	status: number;
	/**
	 * In wire order. `['Content-Length', '*']` is filled in; without it and `Transfer-Encoding` the right one is appended.
	 */
	headers: HeaderList;
	/** A Buffer or string is sent whole; anything else write by write. */
	body?: Write | Iterable<Write> | AsyncIterable<Write>;
	transport?: Transport;
	/** The body is the whole raw answer, without status line, headers and framing. */
	verbatim?: boolean;
}

export interface Cut {
	/** `start`: before the first byte of the answer. Otherwise after so many bytes, or server-sent events, of the body. */
	at: 'start' | 'end' | number | { event: number };
	/** `silence`: the connection stays open without data. */
	how: 'fin' | 'rst' | 'silence';
}

/** Transport of one answer. Without settings it is sent unchanged. */
export interface Transport {
	/** Milliseconds, or a promise, before the status line. */
	delayHeaders?: number | Promise<unknown>;
	status?: number;
	/** Sets headers, or removes them with `null`. Names are case-insensitive. */
	headers?: Readonly<Record<string, string | null>>;
	framing?: 'chunked' | 'length';
	cut?: Cut;
}

const REASONS: Record<number, string> = {
	200: 'OK',
	204: 'No Content',
	301: 'Moved Permanently',
	302: 'Found',
	307: 'Temporary Redirect',
	308: 'Permanent Redirect',
	400: 'Bad Request',
	401: 'Unauthorized',
	403: 'Forbidden',
	404: 'Not Found',
	405: 'Method Not Allowed',
	413: 'Payload Too Large',
	415: 'Unsupported Media Type',
	422: 'Unprocessable Content',
	429: 'Too Many Requests',
	500: 'Internal Server Error',
	501: 'Not Implemented',
	502: 'Bad Gateway',
	503: 'Service Unavailable',
	504: 'Gateway Timeout',
};

/** Waits for milliseconds or a promise, until the signal aborts. Never rejects. */
export const waitFor = async (
	what: number | Promise<unknown> | undefined,
	signal: AbortSignal,
): Promise<void> => {
	if (what === undefined || signal.aborted) return;
	if (typeof what === 'number') {
		await delay(what, undefined, { signal }).catch(() => undefined);
		return;
	}
	const aborted = new Promise<void>((resolve) => {
		signal.addEventListener('abort', () => resolve(), { once: true });
	});
	await Promise.race([what.catch(() => undefined), aborted]);
};

const isWhole = (body: WireReply['body']): body is Write | undefined =>
	body === undefined || typeof body === 'string' || Buffer.isBuffer(body);

const toBuffer = (write: Write): Buffer =>
	typeof write === 'string' ? Buffer.from(write, 'utf8') : write;

async function* toWrites(body: WireReply['body']): AsyncGenerator<Buffer> {
	if (!isWhole(body)) for await (const write of body) yield toBuffer(write);
	else if (body !== undefined && body.length > 0) yield toBuffer(body);
}

const headerIndex = (headers: HeaderList, name: string): number =>
	headers.findIndex(([candidate]) => candidate.toLowerCase() === name.toLowerCase());

type Framing = NonNullable<Transport['framing']>;

function framingOf({ headers, body }: WireReply, transport: Transport): Framing {
	if (transport.framing) return transport.framing;
	if (headerIndex(headers, 'content-length') >= 0) return 'length';
	if (headerIndex(headers, 'transfer-encoding') >= 0) return 'chunked';
	return isWhole(body) ? 'length' : 'chunked';
}

function finalHeaders(
	reply: WireReply,
	transport: Transport,
	framing: Framing,
	length: number,
): HeaderList {
	let headers: Array<readonly [string, string]> = [...reply.headers];
	const framingHeader: readonly [string, string] =
		framing === 'length' ? ['Content-Length', String(length)] : ['Transfer-Encoding', 'chunked'];
	const at = Math.max(
		headerIndex(headers, 'content-length'),
		headerIndex(headers, 'transfer-encoding'),
	);
	if (at < 0) headers.push(framingHeader);
	// Keep an explicit length, right or wrong.
	else if (headers[at]![1] === '*' || transport.framing !== undefined)
		headers.splice(at, 1, framingHeader);
	for (const [name, value] of Object.entries(transport.headers ?? {})) {
		const known = headerIndex(headers, name);
		headers = headers.filter(([candidate]) => candidate.toLowerCase() !== name.toLowerCase());
		if (value !== null) headers.splice(known < 0 ? headers.length : known, 0, [name, value]);
	}
	return headers;
}

async function breakOff({ request, socket, closeAfter }: Exchange, how: Cut['how']): Promise<void> {
	if (how === 'silence') await waitFor(new Promise(() => undefined), request.signal);
	else if (how === 'rst') {
		request.endedBy = 'server';
		socket.resetAndDestroy();
	} else closeAfter();
}

/** Sends one reply with its transport settings. Resolves when it has ended or failed. */
export const sendReply = async (exchange: Exchange, reply: WireReply): Promise<void> => {
	const { request } = exchange;
	const transport = reply.transport ?? {};
	const { cut } = transport;
	await waitFor(transport.delayHeaders, request.signal);
	if (request.signal.aborted) return;
	if (cut?.at === 'start') return await breakOff(exchange, cut.how);

	let writes: AsyncGenerator<Buffer> = toWrites(reply.body);
	const framing = framingOf(reply, transport);
	if (reply.verbatim !== true && framing === 'length') {
		const all: Buffer[] = [];
		for await (const write of writes) all.push(write);
		const whole = Buffer.concat(all);
		writes = toWrites(whole);
		await sendHead(exchange, reply, transport, framing, whole.length);
	} else if (reply.verbatim !== true) {
		// Like llama-server, send headers with the first result (docs/protocols/llama-server.md 3.1).
		const first = await writes.next();
		if (request.signal.aborted) {
			await writes.return(undefined);
			return;
		}
		writes = startingWith(first, writes);
		await sendHead(exchange, reply, transport, framing, 0);
	}
	const isChunked = framing === 'chunked' && reply.verbatim !== true;
	const isComplete = await sendBody(exchange, writes, cut, isChunked);
	if (request.signal.aborted) return;
	if (!isComplete || cut?.at === 'end') return await breakOff(exchange, cut!.how);
	if (isChunked) await exchange.write('0\r\n\r\n');
};

async function* startingWith(
	first: IteratorResult<Buffer>,
	rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
	try {
		for (let result = first; !result.done; result = await rest.next()) yield result.value;
	} finally {
		await rest.return(undefined);
	}
}

async function sendHead(
	{ request, write }: Exchange,
	reply: WireReply,
	transport: Transport,
	framing: Framing,
	length: number,
): Promise<void> {
	const status = transport.status ?? reply.status;
	const lines = finalHeaders(reply, transport, framing, length).map(
		([name, value]) => `${name}: ${value}\r\n`,
	);
	request.status = status;
	request.headersSentAt = Date.now();
	await write(`HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n${lines.join('')}\r\n`);
}

const countEvents = (bytes: Buffer): number => bytes.toString('latin1').split('\n\n').length - 1;

/** @returns whether the body was sent completely */
async function sendBody(
	exchange: Exchange,
	writes: AsyncIterable<Buffer>,
	cut: Cut | undefined,
	isChunked: boolean,
): Promise<boolean> {
	let bytesSent = 0;
	let events = 0;
	for await (const bytes of writes) {
		// An empty chunk would end the body.
		if (bytes.length === 0) continue;
		const left = typeof cut?.at === 'number' ? cut.at - bytesSent : bytes.length;
		const head = isChunked ? `${bytes.length.toString(16)}\r\n` : '';
		const isCut = left < bytes.length;
		const tail = isChunked && !isCut ? '\r\n' : '';
		const sent = bytes.subarray(0, Math.max(0, left));
		await exchange.write(Buffer.concat([Buffer.from(head), sent, Buffer.from(tail)]));
		if (exchange.request.signal.aborted) return false;
		bytesSent += bytes.length;
		events += countEvents(bytes);
		if (isCut || (typeof cut?.at === 'object' && events >= cut.at.event)) return false;
	}
	return true;
}
