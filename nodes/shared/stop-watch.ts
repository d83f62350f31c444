import type { IExecuteFunctions } from 'n8n-workflow';

import { afterMs } from '../../lib/http/limits';

/** A slot shall be free ten seconds after Stop, also where the database takes its time. */
const LOOK_EVERY_MS = 4000;
/**
 * A look loads and parses all that the database keeps of the execution: the body of the webhook, and with "save
 * progress" every result until now. So looks may take this part of the time, and no more.
 */
const MAX_SHARE = 0.02;
/** One look that waited for a database which was restarting must not be the last. */
const MAX_LOOK_EVERY_MS = 60_000;

/** Sub-nodes have `getExecutionDataById` too, though n8n's types do not say so. */
type Context = Pick<IExecuteFunctions, 'getExecutionCancelSignal' | 'getExecutionId' | 'getMode'> &
	Partial<Pick<IExecuteFunctions, 'getExecutionDataById'>>;

/**
 * Stop, also for an execution that a webhook process of n8n's queue mode has begun. There the main process, which is
 * told to stop it, only writes into the database that it was cancelled: no worker hears of it (n8n 2.20 to 2.41,
 * `stopInScalingMode`), and the model would write on for nobody. The same where the queue took a worker for dead that
 * only had lost Redis for a while. So while there is work to do, the database is asked.
 */
export class StopWatch {
	/** Aborts when the execution is stopped. */
	readonly signal: AbortSignal | undefined;
	private readonly isNeeded: boolean;
	private readonly found = new AbortController();
	private readonly working = new Set<object>();
	private disarm: (() => void) | undefined;

	constructor(
		private readonly context: Context,
		private readonly everyMs = LOOK_EVERY_MS,
		private readonly clock: () => number = () => performance.now(),
	) {
		// Executions of all other modes are begun by the main process, whose Stop reaches the worker.
		this.isNeeded = context.getMode() === 'webhook';
		const own = context.getExecutionCancelSignal();
		const signals = [own, this.found.signal].filter((signal) => signal !== undefined);
		this.signal = this.isNeeded ? AbortSignal.any(signals) : own;
	}

	/**
	 * Looks for a stop until the work is over. Work that takes less than four seconds costs nothing.
	 *
	 * @returns to be called when it is over
	 */
	begin(): () => void {
		if (!this.isNeeded) return () => {};
		const work = {};
		this.working.add(work);
		if (this.working.size === 1) this.arm();
		return () => {
			this.working.delete(work);
			if (this.working.size === 0) this.disarm?.();
		};
	}

	/** Ends all that was begun: a reader who left a stream without closing it does not say so. */
	close(): void {
		this.working.clear();
		this.disarm?.();
	}

	private arm(afterLookOfMs = 0): void {
		this.disarm?.();
		const pause = Math.max(this.everyMs, Math.min(afterLookOfMs / MAX_SHARE, MAX_LOOK_EVERY_MS));
		this.disarm = afterMs(Math.round(pause), () => void this.look());
	}

	private async look(): Promise<void> {
		const begunAt = this.clock();
		if (await this.isOver()) this.found.abort();
		else if (this.working.size > 0 && this.signal?.aborted !== true) this.arm(this.clock() - begunAt);
	}

	/**
	 * An execution has an error there once n8n has ended it. No answer is no stop: the database may be restarting. Nor is
	 * a "crash": a process of n8n that starts writes it for each execution that its event log holds without an end, and
	 * workers which share a folder share that log (`execution-recovery.service`). The execution lives on.
	 */
	private async isOver(): Promise<boolean> {
		try {
			const id = this.context.getExecutionId();
			// The database takes a missing id for no condition at all, and gives the first execution that it has.
			if (!id) return false;
			const data = await this.context.getExecutionDataById?.(id);
			const error = data?.resultData.error;
			return error !== undefined && error.name !== 'WorkflowCrashedError';
		} catch {
			return false;
		}
	}
}
