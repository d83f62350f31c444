import { sleep } from 'n8n-workflow';

import { buildConnector } from '../vendor';

/** How long a socket is left alone after it was read, in milliseconds; asked for after each reading. */
export type Rest = () => number;

type ConnectorOptions = NonNullable<Parameters<typeof buildConnector>[0]>;

/** What this changes of a socket of Node's. */
interface Socket {
	readonly bytesRead: number;
	readonly destroyed: boolean;
	/** Called by the stream when it wants more. */
	_read(size: number): void;
	write(...args: unknown[]): boolean;
}

/** So many readings must become one, or a rest is of no use. */
const WORTH_A_REST = 4;
/** Node reads no more at once; behind a full buffer there is more. */
const FULL_READING = 64 * 1024;

/** The rest of the request that is being sent at this moment. */
let beginning: Rest | undefined;

/**
 * To be called when a request begins, before undici writes its headers, which it does at once: this is how a request is
 * told to its socket, of which undici lets nobody know.
 */
export function beginsOnSocket(rest: Rest): void {
	beginning = rest;
	void Promise.resolve().then(() => (beginning = undefined));
}

/** undici's connector, whose sockets rest between two readings where the request wants it. */
export function restingConnector(options: ConnectorOptions): ReturnType<typeof buildConnector> {
	// Node reads ahead until its buffer is full. With a buffer of one byte it stops after each reading until it is asked.
	const connect = buildConnector(Object.assign({}, options, { highWaterMark: 1 }));
	return (target, done) =>
		connect(target, (...made) => {
			const [error, socket] = made;
			if (error === null) letRest(socket);
			done(...made);
		});
}

/** Each connection serves one request, so the first thing that is written tells which. */
function letRest(socket: Socket): void {
	const { write } = socket;
	socket.write = (...args) => {
		socket.write = write;
		if (beginning !== undefined) restBetweenReadings(socket, beginning);
		return write.apply(socket, args);
	};
}

function restBetweenReadings(socket: Socket, rest: Rest): void {
	const { _read: read } = socket;
	const rests = new Rests();
	socket._read = (size) => {
		const ms = rests.next(rest(), socket.bytesRead, performance.now());
		if (ms === 0) return read.call(socket, size);
		void sleep(ms).then(() => {
			if (!socket.destroyed) read.call(socket, size);
		});
	};
}

/**
 * When a socket rests. To read from one costs the same whether it brings one token or a hundred: a wake-up of the process,
 * two system calls, and what Node and undici do for each piece. A stream that is shown in pieces need not be read more
 * often, and the kernel keeps what arrives. Only where tokens come much faster than that: a slow stream is read as it
 * comes, and so are its end and its errors.
 */
export class Rests {
	private readAt = -Infinity;
	private bytes = 0;
	/** Bytes of a reading without a rest. */
	private usual = 0;
	/** Readings in a row that came shortly behind each other. */
	private quick = 0;
	private state: 'watching' | 'rested' | 'behindRest' = 'watching';

	/**
	 * To be called after each reading.
	 *
	 * @param wanted milliseconds to rest, where that is worth it
	 * @returns milliseconds until the next reading
	 */
	next(wanted: number, bytesRead: number, now: number): number {
		const arrived = bytesRead - this.bytes;
		const isQuick = (now - this.readAt) * WORTH_A_REST <= wanted;
		this.bytes = bytesRead;
		this.readAt = now;
		if (wanted <= 0) return this.watch();
		if (this.state === 'rested') {
			if (arrived < this.usual * WORTH_A_REST) return this.watch();
			// What had no room in the kernel comes in the reading behind it.
			if (arrived < FULL_READING) this.state = 'behindRest';
			return 0;
		}
		if (this.state === 'watching') {
			this.usual = arrived;
			this.quick = isQuick ? this.quick + 1 : 0;
			if (this.quick < WORTH_A_REST) return 0;
		}
		this.state = 'rested';
		return wanted;
	}

	private watch(): 0 {
		this.quick = 0;
		this.state = 'watching';
		return 0;
	}
}
