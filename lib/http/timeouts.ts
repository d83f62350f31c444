import { clearTimeout, setTimeout } from '../vendor';

/** Time limits of one request, in milliseconds; 0 = none. No total limit by default. */
export interface Timeouts {
	/**
	 * From the start of the request, or the last sent piece of an upload, to the first content: includes the queues in
	 * n8n and on the server, loading, and reading the prompt.
	 */
	firstTokenMs: number;
	/** Between two pieces of content after the first one. Pings and empty pieces do not count. */
	idleMs: number;
	/** From the start of the request to the end. */
	totalMs?: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
	firstTokenMs: 30 * 60_000,
	idleMs: 5 * 60_000,
	totalMs: 0,
};

type TimeoutName = 'firstTokenTimeout' | 'idleTimeout' | 'totalTimeout';

/** Maximum of Node's timers: 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type Phase = 'begin' | 'content' | 'end';

/** Applies the limits of one request, and the caller's own signal. */
export class Watchdog {
	private readonly controller = new AbortController();
	private readonly startedAt = performance.now();
	private readonly total: ReturnType<typeof setTimeout> | undefined;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private phase: Phase = 'begin';

	/** The limit that was exceeded, if any. */
	expired: TimeoutName | undefined;

	/** The exceeded limit in milliseconds. */
	expiredMs: number | undefined;

	/** Not `AbortSignal.any`: the signal of a long execution would collect a listener per request. */
	constructor(
		private readonly limits: Timeouts,
		private readonly caller?: AbortSignal,
	) {
		this.total = this.start('totalTimeout', limits.totalMs);
		this.timer = this.start('firstTokenTimeout', limits.firstTokenMs);
		if (caller?.aborted) this.onCaller();
		else caller?.addEventListener('abort', this.onCaller, { once: true });
	}

	/** Aborted when a limit is exceeded or the caller's signal aborts. */
	get signal(): AbortSignal {
		return this.controller.signal;
	}

	/** To be called when a piece of an upload is sent: the wait for the first content starts again. */
	sent(): void {
		if (this.phase === 'begin') this.timer?.refresh();
	}

	/** To be called when content arrives: from then on the idle limit counts, which each further content starts anew. */
	onContent(): void {
		if (this.phase === 'content') this.timer?.refresh();
		else this.enter('content', this.limits.idleMs);
	}

	/** To be called when no more content is expected: until there is some, `mostMs` is the longest idle limit. */
	expectEnd(mostMs: number): void {
		if (this.phase !== 'end') this.enter('end', Math.min(this.limits.idleMs || mostMs, mostMs));
	}

	/** Milliseconds left until the first-token limit; Infinity without one. */
	get firstTokenRemainingMs(): number {
		return this.startedAt + (this.limits.firstTokenMs || Infinity) - performance.now();
	}

	stop(): void {
		this.caller?.removeEventListener('abort', this.onCaller);
		clearTimeout(this.total);
		clearTimeout(this.timer);
	}

	private readonly onCaller = () => this.abort(this.caller?.reason);

	private abort(reason: unknown): void {
		this.stop();
		this.controller.abort(reason);
	}

	private enter(phase: Phase, idleMs: number): void {
		this.phase = phase;
		clearTimeout(this.timer);
		this.timer = this.start('idleTimeout', idleMs);
	}

	private start(name: TimeoutName, ms = 0): ReturnType<typeof setTimeout> | undefined {
		if (ms === 0) return undefined;
		const exceeded = () => {
			this.expired = name;
			this.expiredMs = ms;
			this.abort(new Error(name));
		};
		return setTimeout(exceeded, Math.min(ms, MAX_TIMER_MS)).unref();
	}
}

/**
 * A timer that does not keep the process alive. Not `AbortSignal.timeout`, which creates an exception with its stack
 * (0.05 ms for each read) and cannot be cancelled.
 *
 * @returns cancels the timer
 */
export function setUnrefTimeout(ms: number, call: () => void): () => void {
	const timer = setTimeout(call, ms).unref();
	return () => clearTimeout(timer);
}
