import { afterMs, MAX_TIMER_MS } from '../../http/limits';
import { seconds } from '../../errors/remedies';

/** Time limits of a run in milliseconds; 0 = none. */
export interface RunLimits {
	/** From sending to the first byte of the answer. */
	firstByteMs: number;
	/** Between two received chunks. Dify's pings count, one every 10 s. */
	idleMs: number;
	/** Between two events. Pings do not count: a hung run pings for ever (docs/protocols/dify.md 3.8). */
	progressMs: number;
	/**
	 * From the ping that Dify 1.13 and later send at once to the first event. In between the run waits for a worker, and
	 * Dify is silent (docs/protocols/dify.md 12.2). Dify itself ends such a stream after 300 s.
	 */
	queueMs: number;
	/** From sending to the end. Dify itself ends a run after 20 minutes, unless it was told otherwise. */
	totalMs: number;
}

export const DEFAULT_RUN_LIMITS: RunLimits = {
	firstByteMs: 120_000,
	idleMs: 60_000,
	progressMs: 600_000,
	queueMs: 300_000,
	totalMs: 0,
};

/** Which limit ran out, in words. */
type OnLimit = (detail: string, limit: keyof RunLimits) => void;

/**
 * Watches the time limits of a run from its sending. Unlike the limits of a connection it closes nothing: Dify keeps
 * the answer of a stopped run only where its stream is read to the end (docs/protocols/dify.md 12.1).
 */
export class RunClock {
	private readonly sentAt = performance.now();
	private answeredAt: number | undefined;
	private lastPieceAt = this.sentAt;
	private lastEventAt = this.sentAt;
	private pieces = 0;
	private hasEvents = false;
	private callOff: (() => void) | undefined;

	constructor(
		private readonly limits: RunLimits,
		private readonly onLimit: OnLimit,
	) {
		this.arm();
	}

	/** The headers of the answer came. */
	answered(): void {
		this.answeredAt = this.lastPieceAt = this.lastEventAt = performance.now();
		this.arm();
	}

	/** A chunk arrived, perhaps only a ping. */
	piece(): void {
		this.pieces++;
		this.lastPieceAt = performance.now();
		// From the second chunk on there are pings every 10 s, so silence counts.
		if (this.pieces === 2) this.arm();
	}

	/** Events arrived. */
	events(): void {
		this.lastEventAt = performance.now();
		if (this.hasEvents) return;
		this.hasEvents = true;
		this.arm();
	}

	end(): void {
		this.callOff?.();
		this.callOff = undefined;
	}

	/** One timer is pending at a time; arriving chunks only note the time. */
	private arm(): void {
		this.end();
		const next = this.next();
		if (next === undefined) return;
		const left = Math.max(1, Math.ceil(next.at - performance.now()));
		this.callOff = afterMs(Math.min(left, MAX_TIMER_MS), () => {
			const due = this.next();
			if (due === undefined || due.at > performance.now()) return this.arm();
			this.end();
			this.onLimit(limitDetail(due.limit, this.limits), due.limit);
		});
	}

	private next(): { limit: keyof RunLimits; at: number } | undefined {
		const { sentAt, answeredAt, lastEventAt, lastPieceAt } = this;
		const isQueued = !this.hasEvents && this.pieces < 2;
		const starts: Array<[keyof RunLimits, number]> = [['totalMs', sentAt]];
		if (answeredAt === undefined) starts.push(['firstByteMs', sentAt]);
		else
			starts.push(
				['progressMs', lastEventAt],
				isQueued ? ['queueMs', answeredAt] : ['idleMs', lastPieceAt],
			);
		return starts
			.filter(([limit]) => this.limits[limit] > 0)
			.map(([limit, from]) => ({ limit, at: from + this.limits[limit] }))
			.sort((a, b) => a.at - b.at)[0];
	}
}

function limitDetail(limit: keyof RunLimits, limits: RunLimits): string {
	const time = seconds(limits[limit]);
	const details: Record<keyof RunLimits, string> = {
		firstByteMs: `Dify sent nothing within ${time} (First Byte Limit)`,
		idleMs: `nothing arrived for ${time}, not even a ping (Idle Limit)`,
		progressMs: `Dify sent nothing but pings for ${time} (Progress Limit)`,
		queueMs: `Dify took the message, but did not begin to work on it within ${time}`,
		totalMs: `the run took longer than ${time} (Total Limit)`,
	};
	return details[limit];
}
