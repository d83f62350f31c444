/** What is left of a timeout that several requests share. */
export class TimeLimit {
	private readonly endsAt: number;

	/** @param timeoutMs 0: no limit */
	constructor(timeoutMs: number) {
		this.endsAt = performance.now() + (timeoutMs || Infinity);
	}

	/** Whole milliseconds, at least 1; Infinity without a limit. */
	get remainingMs(): number {
		return Math.max(1, Math.ceil(this.endsAt - performance.now()));
	}

	/** Whether a request that was given the rest of the time has used it. Timers may be a moment early. */
	get isOver(): boolean {
		return this.remainingMs <= 2;
	}

	/** The timeout of one request, in milliseconds. */
	capMs(timeoutMs: number): number {
		return Math.min(timeoutMs, this.remainingMs);
	}
}
