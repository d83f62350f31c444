import { afterMs } from './limits';
import { breather } from './time-slices';

/** The connection behind a body. */
interface BodySource {
	pause(): void;
	resume(): void;
	/** Closes the connection. */
	abort(reason: Error): void;
}

export interface Pace {
	/** Least milliseconds between two reads of a body; called when something has arrived. */
	interval(): number;
}

/** At this size the connection is paused until somebody reads. */
const MAX_KEPT_BYTES = 256 * 1024;
/** A piece is worked on in one go: thousands of events are in as many bytes. */
const MAX_PIECE_BYTES = 64 * 1024;

/**
 * The body of an answer. Each read returns what arrived since the last one as one piece, and of a lot its beginning,
 * and n8n can answer others before the rest. Node's streams create several objects, events and promises per received
 * piece, that is per token; this does so per read.
 */
export class IncomingBody
	implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined>
{
	private kept: Uint8Array[] = [];
	private size = 0;
	/** Whether the last piece was only the beginning of what had arrived. */
	private hasRest = false;
	private over: { error?: Error } | undefined;
	private lastReadAt = -Infinity;
	/** Resumes the pending `next()`, if any. */
	private reader: (() => void) | undefined;
	/** Cancels what ends a pause. */
	private disarm: (() => void) | undefined;

	/** @param pace default: read as soon as anything arrives */
	constructor(
		private readonly source: BodySource,
		private readonly pace: Pace = { interval: () => 0 },
	) {}

	[Symbol.asyncIterator](): this {
		return this;
	}

	/**
	 * The next piece. An error follows the data before it. The end, an error, and a full buffer do not wait for the pace.
	 */
	async next(): Promise<IteratorResult<Uint8Array, undefined>> {
		if (this.hasRest) await breather();
		await new Promise<void>((resolve) => {
			this.reader = resolve;
			this.wake();
		});
		this.lastReadAt = performance.now();
		if (this.size > 0) return { done: false, value: this.take() };
		if (this.over?.error !== undefined) throw this.over.error;
		return { done: true, value: undefined };
	}

	/** Called when a loop over the body is left early. */
	async return(): Promise<IteratorResult<Uint8Array, undefined>> {
		this.destroy();
		return await Promise.resolve({ done: true, value: undefined });
	}

	push(piece: Uint8Array): void {
		if (this.over !== undefined) return;
		this.kept.push(piece);
		this.size += piece.byteLength;
		if (this.isFull) this.source.pause();
		this.wake();
	}

	/** @param error why the body broke off */
	end(error?: Error): void {
		this.over ??= { error };
		// The connection may be kept, and used again before this body is read.
		this.source.resume();
		this.wake();
	}

	/** Closes the connection, and drops unread data. */
	destroy(): void {
		this.drop();
		if (this.over !== undefined) return;
		const error = Object.assign(new Error('Request aborted'), {
			name: 'AbortError',
			code: 'UND_ERR_ABORTED',
		});
		this.end(error);
		this.source.abort(error);
	}

	private get isFull(): boolean {
		return this.size >= MAX_KEPT_BYTES;
	}

	private drop(): void {
		this.kept = [];
		this.size = 0;
		this.hasRest = false;
	}

	/**
	 * Wakes the reader if there is something to read, after its pause. A timer is set only once something has arrived:
	 * otherwise it would wake the process once more per token of a slow stream.
	 */
	private wake(): void {
		if (this.reader === undefined || (this.size === 0 && this.over === undefined)) return;
		if (this.over !== undefined || this.isFull || this.hasRest) return this.goOn();
		if (this.disarm !== undefined) return;
		const pause = this.lastReadAt + this.pace.interval() - performance.now();
		if (pause <= 0) return this.goOn();
		this.disarm = afterMs(Math.ceil(pause), () => this.goOn());
	}

	private goOn(): void {
		this.disarm?.();
		this.disarm = undefined;
		this.reader?.();
		this.reader = undefined;
	}

	private take(): Uint8Array {
		const [first = new Uint8Array()] = this.kept;
		const all = this.kept.length === 1 ? first : Buffer.concat(this.kept, this.size);
		this.drop();
		const rest = all.subarray(MAX_PIECE_BYTES);
		if (rest.byteLength === 0) {
			this.source.resume();
			return all;
		}
		this.hasRest = true;
		this.kept = [rest];
		this.size = rest.byteLength;
		return all.subarray(0, MAX_PIECE_BYTES);
	}
}
