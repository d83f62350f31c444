import { clearTimeout, setTimeout } from '../vendor';

/** Time limits of one request, in milliseconds; 0 = none. There is no total limit unless one is set. */
export interface Limits {
	/** From asking to the first content: covers the queue in n8n, the server's own, loading, and reading the prompt. */
	firstTokenMs: number;
	/**
	 * Between any two pieces of content after the first one: pings and empty pieces do not show that anything goes on.
	 */
	idleMs: number;
	/** From asking to the end. */
	totalMs?: number;
}

export const DEFAULT_LIMITS: Limits = { firstTokenMs: 30 * 60_000, idleMs: 5 * 60_000, totalMs: 0 };

export type LimitName = 'firstTokenLimit' | 'idleLimit' | 'totalLimit';

/** Node's timers overflow above this; a longer limit is looked at again when this much has passed. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Watches the limits of one request and passes on the caller's own signal. One timer is pending at a time; arriving
 * content only notes the time, so a fast stream costs no timer per token.
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

	/** The limit that was hit, once it was. */
	hit: LimitName | undefined;

	/** Not AbortSignal.any for `caller`: a signal of a long execution would collect one listener per request. */
	constructor(
		private limits: Limits,
		private readonly caller?: AbortSignal,
	) {
		if (caller?.aborted) this.onCaller();
		else caller?.addEventListener('abort', this.onCaller, { once: true });
		this.arm();
	}

	/** Aborts when a limit is hit or the caller's signal aborts. */
	get signal(): AbortSignal {
		return this.controller.signal;
	}

	/**
	 * Something arrived that was asked for. The first time ends the first-token limit; behind `finishing` the limits
	 * count again.
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

	/**
	 * Nothing of weight is to come any more: from now on `idleMs` without content end the wait, whatever else arrives.
	 */
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
		return this.limits.firstTokenMs > 0 ? this.limits.firstTokenMs - (performance.now() - this.startedAt) : Infinity;
	}

	/** The limit in milliseconds that was hit. */
	get hitMs(): number | undefined {
		if (this.hit === 'firstTokenLimit') return this.limits.firstTokenMs;
		if (this.hit === 'idleLimit') return this.limits.idleMs;
		return this.hit === 'totalLimit' ? this.limits.totalMs : undefined;
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

	private nextDeadline(): { at: number; name: LimitName } | undefined {
		const { firstTokenMs, idleMs, totalMs = 0 } = this.limits;
		const deadlines: Array<{ at: number; name: LimitName }> = [];
		if (totalMs > 0) deadlines.push({ at: this.startedAt + totalMs, name: 'totalLimit' });
		if (!this.firstTokenSeen && firstTokenMs > 0)
			deadlines.push({ at: this.startedAt + firstTokenMs, name: 'firstTokenLimit' });
		if (this.firstTokenSeen && idleMs > 0) deadlines.push({ at: this.lastContentAt + idleMs, name: 'idleLimit' });
		return deadlines.sort((a, b) => a.at - b.at)[0];
	}

	private arm(): void {
		const next = this.stopped ? undefined : this.nextDeadline();
		// A timer that rings before looks again then.
		if (next === undefined || this.ringsAt <= next.at) return;
		this.disarm();
		const now = performance.now();
		const { idleMs } = this.limits;
		// By then the idle limit may count: so it needs no timer of its own where the first content has come.
		const left = Math.min(next.at - now, idleMs > 0 ? idleMs : Infinity, MAX_TIMER_MS);
		this.ringsAt = now + left;
		this.disarm = afterMs(Math.max(1, Math.ceil(left)), () => {
			this.ringsAt = Infinity;
			const due = this.nextDeadline();
			if (due === undefined || due.at > performance.now()) return this.arm();
			this.hit = due.name;
			this.abort(new Error(due.name));
		});
	}
}

/**
 * Calls back once after a time that does not keep the process alive. No `AbortSignal.timeout`: that makes an exception
 * with its stack, 0.05 ms for each reading of each answer, and stays behind when it is taken back.
 *
 * @returns takes the call back
 */
export function afterMs(ms: number, call: () => void): () => void {
	const timer = setTimeout(call, ms).unref();
	return () => clearTimeout(timer);
}
