import { afterMs } from './limits';

/** What the body controls of the connection behind it. */
export interface BodySource {
	pause(): void;
	resume(): void;
	/** Closes the connection. */
	abort(reason: Error): void;
}

/** Least time between two readings of a body, in milliseconds; asked for when something has arrived. */
export type Pace = () => number;

/** More is not kept in memory: the connection is held until somebody reads. */
const MAX_KEPT_BYTES = 256 * 1024;

/**
 * The body of an answer. What arrived since the last reading is read as one piece. Node's streams cost several objects,
 * events and promises for each piece that a server sends, which are as many as tokens; this costs them for each
 * reading.
 */
export class IncomingBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
	private kept: Uint8Array[] = [];
	private size = 0;
	private isPaused = false;
	private over: { error?: Error } | undefined;
	private lastReadAt = -Infinity;
	/** Whoever waits for the next piece. */
	private reader: (() => void) | undefined;
	/** Takes the timer back that ends a pause. */
	private disarm: (() => void) | undefined;

	/** @param pace without it every piece is read as soon as it arrives */
	constructor(
		private readonly source: BodySource,
		private readonly pace: Pace = () => 0,
	) {}

	[Symbol.asyncIterator](): this {
		return this;
	}

	/** What arrived. An error comes after what arrived before it, and the end and an error wait for no pace. */
	async next(): Promise<IteratorResult<Uint8Array, undefined>> {
		await new Promise<void>((resolve) => {
			this.reader = resolve;
			this.wake();
		});
		this.lastReadAt = performance.now();
		if (this.size > 0) return { done: false, value: this.take() };
		if (this.over?.error !== undefined) throw this.over.error;
		return { done: true, value: undefined };
	}

	/** Called by a loop that is left before the end. */
	async return(): Promise<IteratorResult<Uint8Array, undefined>> {
		this.destroy();
		return await Promise.resolve({ done: true, value: undefined });
	}

	push(piece: Uint8Array): void {
		if (this.over !== undefined) return;
		this.kept.push(piece);
		this.size += piece.byteLength;
		if (this.size >= MAX_KEPT_BYTES && !this.isPaused) {
			this.isPaused = true;
			this.source.pause();
		}
		this.wake();
	}

	end(): void {
		this.finish({});
	}

	fail(error: Error): void {
		this.finish({ error });
	}

	/** Closes the connection. What was not read is dropped. */
	destroy(): void {
		if (this.over !== undefined) {
			this.drop();
			return;
		}
		const error = Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' });
		this.drop();
		this.finish({ error });
		this.source.abort(error);
	}

	private get isUrgent(): boolean {
		return this.over !== undefined || this.isPaused;
	}

	private finish(over: { error?: Error }): void {
		this.over ??= over;
		this.wake();
	}

	private drop(): void {
		this.kept = [];
		this.size = 0;
	}

	/**
	 * Lets the reader go on where there is something to read, once its pause is over. A pause in which nothing arrives needs
	 * no timer: it would wake the process once more for each token of a slow stream.
	 */
	private wake(): void {
		if (this.reader === undefined || (this.size === 0 && this.over === undefined)) return;
		if (this.isUrgent) return this.goOn();
		if (this.disarm !== undefined) return;
		const pause = this.lastReadAt + this.pace() - performance.now();
		if (pause > 0) this.disarm = afterMs(Math.ceil(pause), () => this.goOn());
		else this.goOn();
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
		if (this.isPaused) {
			this.isPaused = false;
			// May bring the next pieces at once.
			this.source.resume();
		}
		return all;
	}
}
