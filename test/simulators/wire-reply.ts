/**
 * Exact HTTP answers, with optional transport faults.
 *
 * A simulator describes its answer as a `WireReply`: status, headers in wire order, and a body as a sequence of writes.
 * `Transport` changes it like a network, a proxy or a dying server: other split points, other line ends, silence, resets,
 * missing pieces. Independent of the simulated server.
 */
import { delay, setImmediate } from '../support/node-builtins';
import type { Exchange } from './raw-http';
import { hasSseStyle, restyle, type SseStyle } from './sse-style';
import { asWrites, EventCounter, joined, type Split, splitter, type Write, zipped } from './writes';

export type { SseStyle } from './sse-style';
export type { Split, Write } from './writes';

export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>;

export interface WireReply {
	status: number;
	/** Default: the usual phrase for the status. */
	reason?: string;
	/**
	 * In wire order. `['Content-Length', '*']` is filled in; without it and `Transfer-Encoding` the right one is appended.
	 */
	headers: HeaderList;
	/** A Buffer or string is sent whole; anything else write by write. */
	body?: Write | Iterable<Write> | AsyncIterable<Write>;
	transport?: Transport;
	/** The body is the whole raw answer, without status line, headers and framing; only delays and faults apply. */
	verbatim?: boolean;
}

/** A place in the body: after so many bytes, or after so many server-sent events. */
export type Position = number | { event: number };

export interface Pause {
	at: Position;
	/** Milliseconds, or until the promise settles. */
	for: number | Promise<unknown>;
}

export interface Cut {
	/**
	 * `start`: before the first byte of the answer. `headers`: within the headers. `end`: before the end of the last chunk.
	 */
	at: 'start' | 'headers' | 'end' | Position;
	/** `clean`: the body ends as if it were complete. `silence`: the connection stays open without data. */
	how: 'fin' | 'rst' | 'clean' | 'silence';
}

/** Transport of one answer. All settings are optional; without any it is sent unchanged. */
export interface Transport {
	/** Milliseconds, or a promise, before the status line. */
	delayHeaders?: number | Promise<unknown>;
	/** Milliseconds, or a promise, between the headers and the first byte of the body. */
	delayBody?: number | Promise<unknown>;
	pauses?: readonly Pause[];
	/** Each piece becomes its own HTTP chunk and TCP write, so that a client reads it separately. */
	split?: Split;
	/** Joins so many writes into one: several events per read. */
	join?: number;
	/** Line ends, BOM, comments and other variants of the event stream format. */
	sse?: SseStyle;
	status?: number;
	/** Sets headers, or removes them with `null`. Names are case-insensitive. */
	headers?: Readonly<Record<string, string | null>>;
	/** `close`: no length, no chunks: the end of the connection ends the body, as with HTTP/1.0 proxies. */
	framing?: 'chunked' | 'length' | 'close';
	httpVersion?: '1.0' | '1.1';
	gzip?: boolean;
	/** Closes the connection after the answer, even with keep-alive. */
	closeAfter?: boolean;
	cut?: Cut;
}

const REASONS: Record<number, string> = {
	200: 'OK',
	204: 'No Content',
	301: 'Moved Permanently',
	302: 'Found',
	303: 'See Other',
	307: 'Temporary Redirect',
	308: 'Permanent Redirect',
	400: 'Bad Request',
	401: 'Unauthorized',
	403: 'Forbidden',
	404: 'Not Found',
	405: 'Method Not Allowed',
	408: 'Request Timeout',
	409: 'Conflict',
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

/** Merges settings; later ones take precedence, by header and `sse` style. */
export const mergeTransport = (...layers: Array<Transport | undefined>): Transport =>
	layers.reduce<Transport>(
		(merged, layer) =>
			layer === undefined
				? merged
				: {
						...merged,
						...layer,
						headers: { ...merged.headers, ...layer.headers },
						sse: { ...merged.sse, ...layer.sse },
					},
		{},
	);

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

const tick = async (): Promise<void> =>
	await new Promise((resolve) => {
		setImmediate(() => resolve());
	});

interface Mark {
	at: Position;
	pause?: Pause['for'];
	cut?: Cut['how'];
}

const headerIndex = (headers: HeaderList, name: string): number =>
	headers.findIndex(([candidate]) => candidate.toLowerCase() === name);

type Framing = NonNullable<Transport['framing']>;

const framingOf = (reply: WireReply, transport: Transport): Framing => {
	if (transport.framing) return transport.framing;
	if (headerIndex(reply.headers, 'content-length') >= 0) return 'length';
	if (headerIndex(reply.headers, 'transfer-encoding') >= 0) return 'chunked';
	const { body } = reply;
	return body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
		? 'length'
		: 'chunked';
};

const finalHeaders = (
	reply: WireReply,
	transport: Transport,
	framing: Framing,
	length: number,
): HeaderList => {
	let headers: Array<readonly [string, string]> = [...reply.headers];
	const framingHeader: readonly [string, string] | undefined =
		framing === 'length'
			? ['Content-Length', String(length)]
			: framing === 'chunked'
				? ['Transfer-Encoding', 'chunked']
				: undefined;
	const at = Math.max(
		headerIndex(headers, 'content-length'),
		headerIndex(headers, 'transfer-encoding'),
	);
	const headerValue = at >= 0 ? headers[at]![1] : '*';
	// Keep an explicit length, right or wrong.
	if (at >= 0 && (headerValue === '*' || transport.framing !== undefined))
		headers.splice(at, 1, ...(framingHeader ? [framingHeader] : []));
	else if (at < 0 && framingHeader) headers.push(framingHeader);
	if (transport.gzip) headers.push(['Content-Encoding', 'gzip']);
	for (const [name, value] of Object.entries(transport.headers ?? {})) {
		const known = headerIndex(headers, name.toLowerCase());
		headers = headers.filter(([candidate]) => candidate.toLowerCase() !== name.toLowerCase());
		if (value !== null) headers.splice(known < 0 ? headers.length : known, 0, [name, value]);
	}
	return headers;
};

/** Sends one reply with its transport settings. Resolves when it has ended or failed. */
export const sendReply = async (exchange: Exchange, reply: WireReply): Promise<void> => {
	const { request, socket } = exchange;
	const transport = reply.transport ?? {};
	const { cut } = transport;

	const fail = async (how: Cut['how']): Promise<void> => {
		if (how === 'silence') await waitFor(new Promise(() => undefined), request.signal);
		else if (how === 'rst') {
			request.endedBy = 'server';
			socket.resetAndDestroy();
		} else exchange.closeAfter();
	};

	await waitFor(transport.delayHeaders, request.signal);
	if (request.signal.aborted) return;
	if (cut?.at === 'start') {
		await fail(cut.how);
		return;
	}

	let writes: AsyncIterable<Buffer> = asWrites(reply.body);
	if (transport.join !== undefined) writes = joined(writes, transport.join);
	if (hasSseStyle(transport.sse)) writes = restyle(writes, transport.sse);
	if (transport.gzip) writes = zipped(writes);
	const framing = reply.verbatim ? 'close' : framingOf(reply, transport);
	if (framing === 'length') {
		const all: Buffer[] = [];
		for await (const write of writes) all.push(write);
		const whole = Buffer.concat(all);
		writes = asWrites(whole);
		await sendHead(exchange, reply, transport, framing, whole.length);
	} else if (!reply.verbatim) {
		// Like llama-server, send headers with the first result (docs/protocols/llama-server.md 3.1).
		const iterator = writes[Symbol.asyncIterator]();
		const first = await iterator.next();
		if (request.signal.aborted) {
			await iterator.return?.();
			return;
		}
		writes = startingWith(first, iterator);
		await sendHead(exchange, reply, transport, framing, 0);
	}
	if (cut?.at === 'headers') {
		await fail(cut.how);
		return;
	}
	await waitFor(transport.delayBody, request.signal);

	const broke = await sendBody(exchange, writes, transport, framing);
	if (request.signal.aborted) return;
	if (broke !== undefined && broke !== 'clean') {
		await fail(broke);
		return;
	}
	if (cut?.at === 'end' && cut.how !== 'clean') {
		await fail(cut.how);
		return;
	}
	if (framing === 'chunked') await exchange.write('0\r\n\r\n');
	const unframed = framing === 'close' && !reply.verbatim;
	if (unframed || transport.closeAfter || transport.httpVersion === '1.0') exchange.closeAfter();
};

async function* startingWith(
	first: IteratorResult<Buffer>,
	rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer> {
	try {
		for (let result = first; !result.done; result = await rest.next()) yield result.value;
	} finally {
		await rest.return?.();
	}
}

const sendHead = async (
	{ request, write }: Exchange,
	reply: WireReply,
	transport: Transport,
	framing: Framing,
	length: number,
): Promise<void> => {
	const status = transport.status ?? reply.status;
	const reason =
		transport.status === undefined
			? (reply.reason ?? REASONS[status] ?? '')
			: (REASONS[status] ?? '');
	const lines = finalHeaders(reply, transport, framing, length).map(
		([name, value]) => `${name}: ${value}\r\n`,
	);
	const head = `HTTP/${transport.httpVersion ?? '1.1'} ${status} ${reason}\r\n${lines.join('')}\r\n`;
	request.status = status;
	request.headersSentAt = Date.now();
	await write(transport.cut?.at === 'headers' ? head.slice(0, Math.floor(head.length / 2)) : head);
};

/** @returns how the body was cut, or undefined if it was sent completely */
const sendBody = async (
	exchange: Exchange,
	writes: AsyncIterable<Buffer>,
	transport: Transport,
	framing: Framing,
): Promise<Cut['how'] | undefined> => {
	const { signal } = exchange.request;
	const { cut, split } = transport;
	const offsetsOf = split === undefined ? () => [] : splitter(split);
	const chunked = framing === 'chunked';
	const marks: Mark[] = (transport.pauses ?? []).map((pause) => ({
		at: pause.at,
		pause: pause.for,
	}));
	if (cut && typeof cut.at !== 'string') marks.push({ at: cut.at, cut: cut.how });
	const counter = new EventCounter();
	let bytesSent = 0;

	/** Runs the pauses before byte `offset` of the body. @returns how the body is cut there, if it is */
	const reach = async (offset: number): Promise<Cut['how'] | undefined> => {
		for (;;) {
			const due = marks.filter((mark) => typeof mark.at === 'number' && mark.at <= offset);
			if (due.length === 0) return undefined;
			const mark = due.reduce((first, other) => (other.at < first.at ? other : first));
			marks.splice(marks.indexOf(mark), 1);
			if (mark.cut) return mark.cut;
			await waitFor(mark.pause, signal);
		}
	};

	for await (const bytes of writes) {
		const before = counter.count;
		const ends = counter.ends(bytes);
		for (const mark of marks) {
			if (typeof mark.at === 'number') continue;
			const end = mark.at.event === 0 ? -bytesSent : ends[mark.at.event - before - 1];
			if (end !== undefined) mark.at = bytesSent + end;
		}
		const inside = marks
			.flatMap(({ at, cut: how }) =>
				typeof at === 'number' && at > bytesSent && at < bytesSent + bytes.length
					? [{ at: at - bytesSent, how }]
					: [],
			)
			.sort((a, b) => a.at - b.at);
		// An announced chunk must be completed, so a clean end is only possible between chunks.
		const clean = inside.filter(({ how }) => how === 'clean').map(({ at }) => at);
		const borders = [...new Set([...offsetsOf(bytes, bytesSent), ...clean, bytes.length])].sort(
			(a, b) => a - b,
		);
		let start = 0;
		for (const end of borders) {
			if (end <= start) continue;
			const broke = await reach(bytesSent + start);
			if (broke || signal.aborted) return broke;
			let prefix = chunked ? `${(end - start).toString(16)}\r\n` : '';
			for (const { at } of inside.filter((stop) => stop.at > start && stop.at < end)) {
				await exchange.write(Buffer.concat([Buffer.from(prefix), bytes.subarray(start, at)]));
				prefix = '';
				start = at;
				const brokeInside = await reach(bytesSent + at);
				if (brokeInside || signal.aborted) return brokeInside;
			}
			const suffix = chunked ? '\r\n' : '';
			await exchange.write(
				Buffer.concat([Buffer.from(prefix), bytes.subarray(start, end), Buffer.from(suffix)]),
			);
			start = end;
			if (split !== undefined) await tick();
			if (signal.aborted) return undefined;
		}
		bytesSent += bytes.length;
	}
	return await reach(bytesSent);
};
