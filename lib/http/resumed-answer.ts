import type { UnreadAnswer } from './types';
import { pauseFor } from './waiting';

/** Milliseconds before each attempt to resume; no more attempts follow. Received data resets the attempts. */
const PAUSES_MS = [0, 250, 1_000, 2_000, 4_000, 8_000];
/** Last characters that are kept to recognize the end marker. */
const TAIL_LENGTH = 32;
const END_MARKER = /data: ?\[DONE\]\s*$/;
/** Bytes from the first event on that are compared, to see whether a body starts again: the first event is unique. */
const HEAD_LENGTH = 1_024;
const EVENTS = /\bevent-stream\b/i;

interface Reaching {
	/** Requests the rest of the body. Rejects if the server cannot be reached. */
	attach(from: number): Promise<UnreadAnswer>;
	/** Ends the generation on the server. */
	cancel(): void;
	/** Aborted by cancelling or a time limit. */
	signal: AbortSignal;
}

/** An answer whose body is resumed after a broken connection. */
export class ResumedAnswer implements UnreadAnswer {
	readonly status: number;
	readonly headers: Record<string, string>;
	readonly url: string;
	readonly body: AsyncIterable<Uint8Array>;
	/** How often it was resumed. */
	resumed = 0;
	/** Received bytes of the body, without HTTP's transfer coding, as the server counts them. */
	private received = 0;
	/** The beginning of the body, with all pings before the first event. */
	private head = '';
	/** Length of the head without these pings, which are all the same: llama-server sends `:` every second. */
	private headLength = 0;
	private tail = '';
	/** Attempts since data was last received. */
	private vainAttempts = 0;
	private isClosed = false;

	constructor(
		private current: UnreadAnswer,
		private readonly reaching: Reaching,
	) {
		({ status: this.status, headers: this.headers, url: this.url } = current);
		this.body = this.pieces();
		reaching.signal.addEventListener('abort', () => this.cancel(), { once: true });
	}

	close(): void {
		this.current.close();
		this.isClosed ||= END_MARKER.test(this.tail);
		this.cancel();
	}

	private cancel(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.reaching.cancel();
	}

	private async *pieces(): AsyncGenerator<Uint8Array> {
		for (;;) {
			const before = this.received;
			const broken = yield* this.untilItBreaks();
			// Without an end marker, a proxy may have ended the body, or somebody cancelled the run: resuming once tells.
			const isWhole =
				broken === undefined &&
				(END_MARKER.test(this.tail) || (this.resumed > 0 && this.received === before));
			const next = isWhole || this.isClosed ? undefined : await this.attached();
			if (next === undefined) {
				this.isClosed ||= broken === undefined;
				if (broken !== undefined) throw broken.error;
				return;
			}
			this.current = next;
			this.resumed += 1;
		}
	}

	private async *untilItBreaks(): AsyncGenerator<Uint8Array, { error: unknown } | undefined> {
		try {
			for await (const bytes of this.resumed === 0 ? this.current.body : this.withoutRepetition()) {
				this.received += bytes.byteLength;
				if (this.headLength < HEAD_LENGTH) {
					this.head += Buffer.from(bytes).toString('latin1');
					this.headLength = this.head.replace(/^[:\s]*/, '').length;
				}
				this.tail = (
					this.tail + Buffer.from(bytes.subarray(-TAIL_LENGTH)).toString('latin1')
				).slice(-TAIL_LENGTH);
				this.vainAttempts = 0;
				yield bytes;
			}
			return undefined;
		} catch (error) {
			return { error };
		}
	}

	/**
	 * The rest of the body. If it starts again from the beginning, because a gateway dropped `from`, the known part is
	 * skipped.
	 */
	private async *withoutRepetition(): AsyncGenerator<Uint8Array> {
		const { head } = this;
		let begun = Buffer.alloc(0);
		let repeated: number | undefined;
		for await (const bytes of this.current.body) {
			begun = Buffer.concat([begun, bytes]);
			if (repeated === undefined) {
				const begins = begun.toString('latin1');
				if (begins.length < head.length && head.startsWith(begins)) continue;
				repeated = begins.startsWith(head) ? this.received : 0;
			}
			const skipped = Math.min(repeated, begun.length);
			repeated -= skipped;
			if (skipped < begun.length) yield begun.subarray(skipped);
			begun = Buffer.alloc(0);
		}
	}

	/** The rest of the answer; undefined if nobody reads it, the server no longer has it, or cannot be reached. */
	private async attached(): Promise<UnreadAnswer | undefined> {
		while (this.vainAttempts < PAUSES_MS.length) {
			await pauseFor(PAUSES_MS[this.vainAttempts++]!, this.reaching.signal);
			if (this.isClosed) return undefined;
			// Before the first event nothing tells the rest from a repetition: so that is requested, and skipped.
			const from = this.headLength === 0 ? 0 : this.received;
			const answer = await this.reaching.attach(from).catch(() => undefined);
			if (answer === undefined) continue;
			if (isRest(answer) && !this.isClosed) return answer;
			answer.close();
			// 5xx: a proxy whose server is down for a while. 4xx: the server no longer has the answer.
			if (answer.status < 500) return undefined;
		}
		return undefined;
	}
}

/** A web page with status 200 is not the answer. */
function isRest({ status, headers }: UnreadAnswer): boolean {
	return status < 300 && EVENTS.test(headers['content-type'] ?? '');
}
