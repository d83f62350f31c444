/** Time limits of one request, in milliseconds; 0 = none. There is no total limit unless one is set. */
export interface Limits {
	/** From sending to the first token: covers the server's queue, loading, and reading the prompt. */
	firstTokenMs: number;
	/** Between any two pieces (pings count) after the first token. */
	idleMs: number;
	/** From sending to the end. */
	totalMs?: number;
	/** Between any two events: a server that only shows that it lives (Dify's pings) does not get on. */
	progressMs?: number;
}

export const DEFAULT_LIMITS: Limits = { firstTokenMs: 30 * 60_000, idleMs: 5 * 60_000, totalMs: 0 };

export type LimitName = 'firstTokenLimit' | 'idleLimit' | 'totalLimit' | 'progressLimit';

/** Node's timers overflow above this; a longer limit is looked at again when this much has passed. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Watches the limits of one request and passes on the caller's own signal. One timer is pending at a time; arriving bytes
 * only note the time, so a fast stream costs no timer per token.
 */
export class Watchdog {
	private readonly controller = new AbortController();
	private readonly startedAt = performance.now();
	private lastByteAt = this.startedAt;
	private lastEventAt = this.startedAt;
	private firstTokenSeen = false;
	private disarm: (() => void) | undefined;
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

	/** Bytes arrived, of whatever kind. */
	touch(): void {
		this.lastByteAt = performance.now();
	}

	/** An event arrived, not only a sign of life. */
	progress(): void {
		this.lastEventAt = performance.now();
	}

	/** The first token arrived: from now on the idle limit counts. */
	firstToken(): void {
		if (this.firstTokenSeen) return;
		this.firstTokenSeen = true;
		this.touch();
		this.arm();
	}

	/** Nothing of weight is to come any more: from now on a pause of `idleMs` ends the wait. */
	finishing(idleMs: number): void {
		const shorter = this.limits.idleMs > 0 ? Math.min(this.limits.idleMs, idleMs) : idleMs;
		if (this.firstTokenSeen && shorter === this.limits.idleMs) return;
		this.limits = { ...this.limits, idleMs: shorter };
		this.firstTokenSeen = true;
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
		if (this.hit === 'progressLimit') return this.limits.progressMs;
		return this.hit === 'totalLimit' ? this.limits.totalMs : undefined;
	}

	stop(): void {
		this.stopped = true;
		this.caller?.removeEventListener('abort', this.onCaller);
		this.disarm?.();
		this.disarm = undefined;
	}

	private readonly onCaller = () => this.abort(this.caller?.reason);

	private abort(reason: unknown): void {
		this.stop();
		this.controller.abort(reason);
	}

	private nextDeadline(): { at: number; name: LimitName } | undefined {
		const { firstTokenMs, idleMs, totalMs = 0, progressMs = 0 } = this.limits;
		const deadlines: Array<{ at: number; name: LimitName }> = [];
		if (totalMs > 0) deadlines.push({ at: this.startedAt + totalMs, name: 'totalLimit' });
		if (!this.firstTokenSeen && firstTokenMs > 0)
			deadlines.push({ at: this.startedAt + firstTokenMs, name: 'firstTokenLimit' });
		if (progressMs > 0) deadlines.push({ at: this.lastEventAt + progressMs, name: 'progressLimit' });
		if (this.firstTokenSeen && idleMs > 0) deadlines.push({ at: this.lastByteAt + idleMs, name: 'idleLimit' });
		return deadlines.sort((a, b) => a.at - b.at)[0];
	}

	private arm(): void {
		this.disarm?.();
		this.disarm = undefined;
		if (this.stopped) return;
		const next = this.nextDeadline();
		if (next === undefined) return;
		const left = Math.max(1, Math.ceil(next.at - performance.now()));
		this.disarm = afterMs(Math.min(left, LONGEST_TIMER_MS), () => {
			const due = this.nextDeadline();
			if (due === undefined || due.at > performance.now()) return this.arm();
			this.hit = due.name;
			this.abort(new Error(due.name));
		});
	}
}

/**
 * Calls back once after a time that does not keep the process alive.
 *
 * @returns takes the call back
 */
export function afterMs(ms: number, call: () => void): () => void {
	const timer = AbortSignal.timeout(ms);
	timer.addEventListener('abort', call, { once: true });
	return () => timer.removeEventListener('abort', call);
}
