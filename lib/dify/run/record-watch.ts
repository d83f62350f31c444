import { afterMs } from '../../http/limits';
import type { RunRecord } from './record';

/** Looks up the record of a run; undefined while it runs. Never throws. */
export type RecordLookup = (runId: string) => Promise<RunRecord | undefined>;

/** The last events of a run are sent a moment after its record is written. */
const LAST_EVENTS_MS = 1_000;

/**
 * Polls the record of a run while its stream sends only pings. From Dify 1.15 on, closing one stream of a run breaks
 * the others: they ping for ever, and only the record tells the end of the run (docs/protocols/dify.md 12.3).
 */
export class RecordWatch {
	/** The record of a run whose stream does not tell its end. */
	found: RunRecord | undefined;
	private runId: string | undefined;
	private looks = 0;
	/** Counts events, since a lookup takes time. */
	private heard = 0;
	private hasEnded = false;
	private callOff: (() => void) | undefined;

	/** @param pausesMs silence before each lookup; the last value repeats */
	constructor(
		private readonly recordOf: RecordLookup,
		private readonly pausesMs: readonly number[],
		private readonly onFound: () => void,
	) {}

	/** Restarts the wait: events came, or the stream begins. */
	again(runId: string | undefined): void {
		this.runId = runId ?? this.runId;
		this.heard++;
		this.looks = 0;
		this.wait();
	}

	/** @returns whether the run is over, so that the stream was closed */
	async lookNow(): Promise<boolean> {
		if (this.runId === undefined || this.hasEnded) return false;
		const record = await this.recordOf(this.runId);
		if (record !== undefined && !this.hasEnded) this.close(record);
		return this.found !== undefined;
	}

	end(): void {
		this.hasEnded = true;
		this.callOff?.();
	}

	private wait(): void {
		this.callOff?.();
		if (this.runId === undefined || this.hasEnded) return;
		const pause = this.pausesMs[Math.min(this.looks++, this.pausesMs.length - 1)] ?? 0;
		this.callOff = afterMs(pause, () => void this.look());
	}

	private async look(): Promise<void> {
		const { heard, runId } = this;
		const record = await this.recordOf(runId!);
		if (this.hasEnded || heard !== this.heard) return;
		if (record === undefined) this.wait();
		else this.callOff = afterMs(LAST_EVENTS_MS, () => this.close(record));
	}

	private close(record: RunRecord): void {
		this.found = record;
		this.end();
		this.onFound();
	}
}
