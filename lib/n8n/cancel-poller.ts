/** Stop of an execution that a webhook process of n8n started. */
import type { IExecuteFunctions } from 'n8n-workflow';
import { anySignal } from '../http/abort';
import { setUnrefTimeout } from '../http/timeouts';

/** A slot should be free ten seconds after Stop, even with a slow database. */
const POLL_INTERVAL_MS = 4000;

/**
 * Maximum share of time for polls: each loads and parses the whole execution (the webhook's body, and with "save
 * progress" every result so far).
 */
const MAX_TIME_SHARE = 0.02;

/** One slow poll, during a restart of the database, must not be the last. */
const MAX_POLL_INTERVAL_MS = 60_000;

/** Sub-nodes also have `getExecutionDataById`, although it is missing in n8n's types. */
type Context = Pick<IExecuteFunctions, 'getExecutionCancelSignal' | 'getExecutionId' | 'getMode'> &
	Partial<Pick<IExecuteFunctions, 'getExecutionDataById'>>;

/**
 * Detects Stop, also for an execution that a webhook process started in n8n's queue mode. There the main process only
 * marks it as canceled in the database and notifies no worker (n8n 2.20 to 2.41, `stopInScalingMode`). The same happens
 * if the queue considers a worker dead that had lost Redis for a while. So the database is polled during work.
 */
export class CancelPoller {
	/** Aborts when the execution is stopped; undefined if n8n has no signal for it. */
	readonly signal: AbortSignal | undefined;
	private readonly isNeeded: boolean;
	private readonly controller = new AbortController();
	/** An object for each work that has begun and is not over. */
	private readonly working = new Set<object>();
	private clearTimer: (() => void) | undefined;

	/** @param clock milliseconds */
	constructor(
		private readonly context: Context,
		private readonly intervalMs: number = POLL_INTERVAL_MS,
		private readonly clock = (): number => performance.now(),
	) {
		// In other modes the main process starts the execution, and its Stop reaches the worker.
		this.isNeeded = context.getMode() === 'webhook';
		const cancelSignal = context.getExecutionCancelSignal();
		this.signal = this.isNeeded ? anySignal(cancelSignal, this.controller.signal) : cancelSignal;
	}

	/**
	 * Polls until the work is over. Work that takes less than four seconds is not polled.
	 *
	 * @returns a function to call when the work is over.
	 */
	begin(): () => void {
		if (!this.isNeeded) return () => {};
		const work = {};
		this.working.add(work);
		if (this.working.size === 1) this.schedule();
		return () => {
			this.working.delete(work);
			if (this.working.size === 0) this.clearTimer?.();
		};
	}

	/** Ends all polling, even if a consumer left a stream without closing it. */
	close(): void {
		this.working.clear();
		this.clearTimer?.();
	}

	/** Plans the next poll: the longer the last one took, the later. */
	private schedule(lastPollMs = 0) {
		this.clearTimer?.();
		const delayMs = Math.max(
			this.intervalMs,
			Math.min(lastPollMs / MAX_TIME_SHARE, MAX_POLL_INTERVAL_MS),
		);
		this.clearTimer = setUnrefTimeout(Math.round(delayMs), () => void this.poll());
	}

	private async poll() {
		const startedAt = this.clock();
		if (await this.hasEnded()) this.controller.abort();
		else if (this.working.size > 0 && this.signal?.aborted !== true)
			this.schedule(this.clock() - startedAt);
	}

	/**
	 * Whether n8n has ended the execution: then its record has an error. A failed poll is not a stop: the database may be
	 * restarting. A "crash" is not one either: a starting n8n process writes it for each execution without an end in its
	 * event log, which workers with a common folder share (`execution-recovery.service`).
	 */
	private async hasEnded() {
		try {
			const id = this.context.getExecutionId();
			// Without an ID the database returns the first execution that it has.
			if (!id) return false;
			const data = await this.context.getExecutionDataById?.(id);
			const error = data?.resultData.error;
			return error !== undefined && error.name !== 'WorkflowCrashedError';
		} catch {
			return false;
		}
	}
}
