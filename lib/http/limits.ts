import { clearTimeout, setTimeout } from '../vendor';

/** Time limits of one request, in milliseconds; 0 = none. No total limit by default. */
export interface Limits {
	/**
	 * From the start of the request to the first content: includes the queues in n8n and on the server, loading, and
	 * reading the prompt.
	 */
	firstTokenMs: number;
	/** Between two pieces of content after the first one. Pings and empty pieces do not count. */
	idleMs: number;
	/** From the start of the request to the end. */
	totalMs?: number;
}

export const DEFAULT_LIMITS: Limits = { firstTokenMs: 30 * 60_000, idleMs: 5 * 60_000, totalMs: 0 };

type LimitName = 'firstTokenLimit' | 'idleLimit' | 'totalLimit';

/** Maximum of Node's timers; a longer limit is checked again after this time. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Applies the limits of one request, and the caller's own signal. Only one timer is pending at a time, and content only
 * updates a time stamp, so a fast stream needs no timer per token.
 */
export class Watchdog {
	private readonly controller = new AbortController();
	private readonly startedAt = performance.now();
	private lastContentAt = this.startedAt;
	private firstTokenSeen = false;
	private disarm = () => {};
	private ringsAt = Infinity;
	/** The limits before `finishing` shortened them. */
	private limitsBefore: Limits | undefined;
	private stopped = false;

	/** The limit that was exceeded, if any. */
	hit: LimitName | undefined;

	/** The exceeded limit in milliseconds. */
	hitMs: number | undefined;

	/** Not `AbortSignal.any`: the signal of a long execution would collect a listener per request. */
	constructor(
		private limits: Limits,
		private readonly caller?: AbortSignal,
	) {
		if (caller?.aborted) this.onCaller();
		else caller?.addEventListener('abort', this.onCaller, { once: true });
		this.arm();
	}

	/** Aborted when a limit is exceeded or the caller's signal aborts. */
	get signal(): AbortSignal {
		return this.controller.signal;
	}

	/**
	 * To be called when content arrives. The first call ends the first-token limit. After `finishing`, the original
	 * limits apply again.
	 */
	content(): void {
		this.lastContentAt = performance.now();
		const goesOn = this.limitsBefore !== undefined;
		if (this.firstTokenSeen && !goesOn) return;
		this.limits = this.limitsBefore ?? this.limits;
		this.limitsBefore = undefined;
		this.firstTokenSeen = true;
		this.arm();
	}

	/** To be called when no more content is expected: from now on `idleMs` is the idle limit, if that is shorter. */
	finishing(idleMs: number): void {
		if (this.limitsBefore !== undefined) return;
		this.limitsBefore = this.limits;
		const shorter = this.limits.idleMs > 0 ? Math.min(this.limits.idleMs, idleMs) : idleMs;
		this.limits = { ...this.limits, idleMs: shorter };
		this.firstTokenSeen = true;
		this.lastContentAt = performance.now();
		this.arm();
	}

	/** Milliseconds left until the first-token limit; Infinity without one. */
	get firstTokenLeftMs(): number {
		return this.limits.firstTokenMs > 0
			? this.limits.firstTokenMs - (performance.now() - this.startedAt)
			: Infinity;
	}

	stop(): void {
		this.stopped = true;
		this.caller?.removeEventListener('abort', this.onCaller);
		this.disarm();
	}

	private readonly onCaller = () => this.abort(this.caller?.reason);

	private abort(reason: unknown): void {
		this.stop();
		this.controller.abort(reason);
	}

	private nextDeadline() {
		const { firstTokenMs, idleMs, totalMs = 0 } = this.limits;
		const content = this.firstTokenSeen
			? ({ name: 'idleLimit', ms: idleMs, at: this.lastContentAt + idleMs } as const)
			: ({ name: 'firstTokenLimit', ms: firstTokenMs, at: this.startedAt + firstTokenMs } as const);
		const end = { name: 'totalLimit', ms: totalMs, at: this.startedAt + totalMs } as const;
		return [end, content].filter(({ ms }) => ms > 0).sort((a, b) => a.at - b.at)[0];
	}

	private arm(): void {
		const next = this.stopped ? undefined : this.nextDeadline();
		// An earlier timer will check again when it fires.
		if (next === undefined || this.ringsAt <= next.at) return;
		this.disarm();
		const now = performance.now();
		const { idleMs } = this.limits;
		// At most the idle limit, which may apply by then: so the first content needs no new timer.
		const left = Math.min(next.at - now, idleMs > 0 ? idleMs : Infinity, MAX_TIMER_MS);
		this.ringsAt = now + left;
		this.disarm = afterMs(Math.max(1, Math.ceil(left)), () => {
			this.ringsAt = Infinity;
			const due = this.nextDeadline();
			if (due === undefined || due.at > performance.now()) return this.arm();
			this.hit = due.name;
			this.hitMs = due.ms;
			this.abort(new Error(due.name));
		});
	}
}

/**
 * A timer that does not keep the process alive. Not `AbortSignal.timeout`, which creates an exception with its stack
 * (0.05 ms for each read) and cannot be cancelled.
 *
 * @returns cancels the timer
 */
export function afterMs(ms: number, call: () => void): () => void {
	const timer = setTimeout(call, ms).unref();
	return () => clearTimeout(timer);
}
