/**
 * Looks up a run whose stream is silent. Dify may send only pings although the run has ended: if another reader left
 * (docs/protocols/dify.md 12.3), or if the run was aborted while it waited.
 */
import { setUnrefTimeout } from '../../http/timeouts';

/** Silence before the first look-up. */
const SILENCE_MS = 50_000;
/** Between two look-ups. */
const LOOK_UP_INTERVAL_MS = 60_000;

/** Calls for a look-up after every stretch of silence. Only for a run that is followed. */
export class SilenceWatch {
	private clearTimer = () => {};
	private lastLookUpAt = -Infinity;
	private isStopped = false;
	/** Events so far: what a look-up finds counts only if none arrived meanwhile. */
	private eventCount = 0;

	/** @param lookUp returns what to do if no event arrived meanwhile; an error of it changes nothing */
	constructor(private readonly lookUp: () => Promise<(() => void) | undefined>) {}

	/** Call this at the start, and for every event that is no ping. */
	onEvent(): void {
		this.eventCount++;
		this.schedule();
	}

	stop(): void {
		this.isStopped = true;
		this.clearTimer();
	}

	private schedule() {
		this.clearTimer();
		if (this.isStopped) return;
		const nextAt = this.lastLookUpAt + LOOK_UP_INTERVAL_MS;
		const ms = Math.max(SILENCE_MS, nextAt - performance.now());
		this.clearTimer = setUnrefTimeout(ms, () => void this.run());
	}

	private async run() {
		this.lastLookUpAt = performance.now();
		const { eventCount } = this;
		const apply = await this.lookUp().catch(() => undefined);
		if (this.isStopped || eventCount !== this.eventCount) return;
		if (apply === undefined) this.schedule();
		else apply();
	}
}
