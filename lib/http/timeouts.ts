import { clearTimeout, setTimeout } from '../vendor';

/** Timeouts of one request, in milliseconds; 0 = none. No total timeout by default. */
export interface Timeouts {
	/**
	 * From the start of the request, or the last sent chunk of an upload, to the first content: includes the queues in
	 * n8n and on the server, loading, and processing the prompt.
	 */
	firstTokenMs: number;
	/** Between two pieces of content. Pings and empty content do not count. */
	idleMs: number;
	/** From the start of the request to the end. */
	totalMs?: number;
}

/** Of a request that names none. */
export const DEFAULT_TIMEOUTS: Timeouts = {
	firstTokenMs: 30 * 60_000,
	idleMs: 5 * 60_000,
	totalMs: 0,
};

type TimeoutName = 'firstTokenTimeout' | 'idleTimeout' | 'totalTimeout';

/** Maximum of Node's timers: 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type Phase = 'begin' | 'content' | 'end';

/** Applies the timeouts of one request, and the caller's signal. */
export class Watchdog {
	private readonly controller = new AbortController();
	private readonly startedAt: number;
	private readonly total: ReturnType<typeof setTimeout> | undefined;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private phase: Phase = 'begin';

	/** The timeout that expired, if any. */
	expired: TimeoutName | undefined;

	/** The expired timeout in milliseconds. */
	expiredMs: number | undefined;

	/** The minimum rate of an idle timeout that expired although bytes arrived: they were too few. */
	missedRate: number | undefined;

	/** When the idle timeout expires unless more bytes arrive, in milliseconds of `performance.now()`. */
	private idleUntil = 0;

	/**
	 * Not `AbortSignal.any`: the signal of a long execution would collect a listener per request.
	 *
	 * @param waitedMs - How long the request has waited before: it began by so much earlier. Default: 0.
	 */
	constructor(
		private readonly timeouts: Timeouts,
		private readonly callerSignal?: AbortSignal | undefined,
		waitedMs = 0,
	) {
		this.startedAt = performance.now() - waitedMs;
		this.total = this.start('totalTimeout', timeouts.totalMs, waitedMs);
		this.timer = this.start('firstTokenTimeout', timeouts.firstTokenMs, waitedMs);
		if (callerSignal?.aborted) this.onCallerAbort();
		else callerSignal?.addEventListener('abort', this.onCallerAbort, { once: true });
	}

	/** Aborted when a timeout expires or the caller's signal aborts. */
	get signal(): AbortSignal {
		return this.controller.signal;
	}

	/** Call this when a chunk of an upload is sent: the wait for the first content restarts. */
	onUpload(): void {
		if (this.phase === 'begin') this.timer?.refresh();
	}

	/** Call this when content arrives: from then on the idle timeout applies, which further content restarts. */
	onContent(): void {
		if (this.phase === 'content') this.timer?.refresh();
		else this.enter('content', this.timeouts.idleMs);
	}

	/**
	 * Call this when bytes arrive that have a minimum rate. Each extends the idle timeout only by the time that it may take, so
	 * it measures the rate, with pauses that are as long as the idle timeout.
	 *
	 * @param bytesPerSecond - The minimum rate; 0: none.
	 */
	onBytes(bytes: number, bytesPerSecond: number): void {
		const { idleMs } = this.timeouts;
		if (this.phase !== 'content' || idleMs === 0 || bytesPerSecond === 0) {
			this.onContent();
			return;
		}
		const now = performance.now();
		const extendedMs = (bytes / bytesPerSecond) * 1000;
		this.idleUntil = Math.min(this.idleUntil + extendedMs, now + idleMs);
		const remainingMs = Math.max(1, this.idleUntil - now);
		clearTimeout(this.timer);
		this.timer = this.startTimer(remainingMs, () => {
			if (remainingMs < idleMs) this.missedRate = bytesPerSecond;
			this.expire('idleTimeout', idleMs);
		});
	}

	/** Call this when no more content is expected: until more arrives, the idle timeout is at most `maxIdleMs`. */
	expectEnd(maxIdleMs: number): void {
		if (this.phase !== 'end')
			this.enter('end', Math.min(this.timeouts.idleMs || maxIdleMs, maxIdleMs));
	}

	/** Milliseconds left until the first-token timeout; Infinity without one. */
	get firstTokenRemainingMs(): number {
		return this.startedAt + (this.timeouts.firstTokenMs || Infinity) - performance.now();
	}

	stop(): void {
		this.callerSignal?.removeEventListener('abort', this.onCallerAbort);
		clearTimeout(this.total);
		clearTimeout(this.timer);
	}

	private readonly onCallerAbort = () => this.abort(this.callerSignal?.reason);

	private abort(reason: unknown) {
		this.stop();
		this.controller.abort(reason);
	}

	private enter(phase: Phase, idleMs: number) {
		this.phase = phase;
		this.idleUntil = performance.now() + idleMs;
		clearTimeout(this.timer);
		this.timer = this.start('idleTimeout', idleMs);
	}

	private start(name: TimeoutName, ms = 0, waitedMs = 0) {
		if (ms === 0 || this.expired !== undefined) return undefined;
		if (ms > waitedMs) return this.startTimer(ms - waitedMs, () => this.expire(name, ms));
		this.expire(name, ms);
		return undefined;
	}

	private startTimer(ms: number, onTimeout: () => void) {
		return setTimeout(onTimeout, Math.min(ms, MAX_TIMER_MS)).unref();
	}

	private expire(name: TimeoutName, ms: number) {
		this.expired = name;
		this.expiredMs = ms;
		this.abort(new Error(name));
	}
}

/**
 * A timer that does not keep the process alive. Not `AbortSignal.timeout`, which creates an exception with its stack
 * (0.05 ms for each read) and cannot be canceled.
 *
 * @returns a function that cancels the timer.
 */
export function setUnrefTimeout(ms: number, callback: () => void): () => void {
	const timer = setTimeout(callback, Math.min(ms, MAX_TIMER_MS)).unref();
	return (): void => clearTimeout(timer);
}

/** Only the total timeout; 0: none. */
export function toTotalTimeout(totalMs: number): Timeouts {
	return { firstTokenMs: 0, idleMs: 0, totalMs };
}
