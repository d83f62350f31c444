import { keep } from '../kept';
import type { LruCache } from '../lru-cache';

/** Most urgent first. `interactive`: a user is waiting for the response. `batch`: no user is waiting. */
export type Priority = 'interactive' | 'batch';

export interface PermitRequest {
	priority: Priority;
	/** Ends the wait. */
	signal?: AbortSignal;
	/**
	 * Cancels a running batch request for an interactive one.
	 *
	 * @returns whether it did.
	 */
	preempt(): boolean;
	/** The wait is added to these. */
	stats: QueueStats;
}

/** What a request waited for, or several requests of one exchange. */
export interface QueueStats {
	waitedMs: number;
	/** A batch request was canceled for it. */
	hasPreemptedBatch: boolean;
	/** How often it was canceled for an interactive request. */
	timesPreempted: number;
}

export interface Permit {
	/** Calling it twice is harmless. */
	release(): void;
	/** Call this when the server has taken the request. */
	onAccept(): void;
	/** Call this when the server was too busy to start the request. */
	onRefuse(): void;
}

/** What a server takes at the same time, as its responses show. */
interface LearnedLimit {
	limit: number;
	/** By `performance.now()`. */
	reducedAt: number;
}

/** More requests at the same time than any server takes: beyond, nothing is limited any more. */
const MAX_LEARNED_LIMIT = 1_000;

/** By the ID of the queue; longer than a queue exists. */
const learnedLimits: LruCache<LearnedLimit> = keep<LearnedLimit>('learnedLimits');

const queues = new Map<string, RequestQueue>();

/**
 * Waits for a permit of a queue, which exists from its first to its last request.
 *
 * @param limit - Concurrent requests; may change while the queue exists, once the server's slots are known.
 * @throws the reason of the signal, as soon as that aborts.
 */
export async function acquirePermit(
	id: string,
	limit: number,
	request: PermitRequest,
): Promise<Permit> {
	request.signal?.throwIfAborted();
	const queue = queues.get(id) ?? new RequestQueue(id);
	queues.set(id, queue);
	queue.limit = limit;
	return await queue.acquire(request);
}

/** The waiting requests of one priority. First come, first served. */
interface WaitingQueue {
	/** Callbacks that admit a request. */
	waiters: Set<(hasPreemptedBatch: boolean) => void>;
	/** When the first one started to wait, or was last admitted. */
	waitingSince: number;
}

/** A priority that has waited this long is admitted next, even if it is lower. */
export const MAX_STARVATION_MS = 60_000;

/** Queue for a server with few slots. */
export class RequestQueue {
	/** Concurrent requests, at least 1; a new value applies from the next request that enters or leaves. */
	limit = 1;
	/** What a busy server takes, until it has taken as many as the limit. */
	private learned: LearnedLimit | undefined;
	/** In the order of admission. */
	private readonly running = new Set<PermitRequest>();
	/** Canceled requests that have not released their permit yet. */
	private readonly preempting = new Set<PermitRequest>();
	private readonly interactive: WaitingQueue = { waiters: new Set(), waitingSince: 0 };
	private readonly batches: WaitingQueue = { waiters: new Set(), waitingSince: 0 };

	/** @param id - What it learns is kept for later queues with the same ID. Default: for none */
	constructor(private readonly id?: string) {
		this.learned = id === undefined ? undefined : learnedLimits.get(id);
	}

	/** Concurrent requests now. */
	private get currentLimit() {
		return Math.min(this.limit, this.learned?.limit ?? Infinity);
	}

	/** Number of running requests. */
	get active(): number {
		return this.running.size;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.interactive.waiters.size + this.batches.waiters.size;
	}

	/** Waits for a permit. Rejects with the signal's reason when it aborts. */
	async acquire(request: PermitRequest): Promise<Permit> {
		const running = { ...request };
		if (this.active < this.currentLimit && this.length === 0) this.running.add(running);
		else await this.wait(running);
		const admittedAt = performance.now();
		return {
			release: () => this.release(running),
			onAccept: () => this.raiseLimit(),
			onRefuse: () => this.reduceLimit(admittedAt),
		};
	}

	/** One more at the same time, for each request that a busy server takes. */
	private raiseLimit() {
		if (this.learned === undefined) return;
		const limit = this.learned.limit + 1;
		const isOver = limit >= Math.min(this.limit, MAX_LEARNED_LIMIT);
		this.storeLearned(isOver ? undefined : { ...this.learned, limit });
	}

	/** Half as many at the same time: once for all requests that were on their way together. */
	private reduceLimit(admittedAt: number) {
		if (this.learned !== undefined && admittedAt <= this.learned.reducedAt) return;
		const limit = Math.max(1, Math.floor(this.active / 2));
		this.storeLearned({ limit, reducedAt: performance.now() });
	}

	private storeLearned(learned: LearnedLimit | undefined) {
		this.learned = learned;
		if (this.id === undefined) return;
		if (learned === undefined) learnedLimits.delete(this.id);
		else learnedLimits.set(this.id, learned);
	}

	private release(running: PermitRequest) {
		const isPreempted = this.preempting.delete(running);
		if (!this.running.delete(running)) return;
		this.admitNext(isPreempted);
		if (this.active === 0 && this.id !== undefined) queues.delete(this.id);
	}

	private async wait(running: PermitRequest): Promise<void> {
		const { priority, signal, stats } = running;
		const queue = priority === 'batch' ? this.batches : this.interactive;
		const startedAt = performance.now();
		return await new Promise((resolve, reject) => {
			const onAbort = () => {
				if (queue.waiters.delete(admit)) reject(signal?.reason as Error);
			};
			const admit = (hasPreemptedBatch: boolean) => {
				signal?.removeEventListener('abort', onAbort);
				const waitedMs = performance.now() - startedAt;
				// A batch request that was starved so long must not be preempted right away.
				if (waitedMs >= MAX_STARVATION_MS) running.priority = 'interactive';
				this.running.add(running);
				stats.waitedMs += waitedMs;
				stats.hasPreemptedBatch ||= hasPreemptedBatch;
				resolve();
			};
			if (queue.waiters.size === 0) queue.waitingSince = startedAt;
			queue.waiters.add(admit);
			signal?.addEventListener('abort', onAbort, { once: true });
			this.admitNext();
			this.preemptBatches();
		});
	}

	/** Reserves the permit before the waiting request resumes, so that no newcomer can take it. */
	private admitNext(isPreempted = false) {
		while (this.active < this.currentLimit) {
			const queue = this.selectQueue();
			const [admit] = queue.waiters;
			if (!admit) return;
			queue.waiters.delete(admit);
			queue.waitingSince = performance.now();
			admit(isPreempted && queue === this.interactive);
		}
	}

	/** Interactive requests first, unless batches have waited for a minute and interactive ones were admitted meanwhile. */
	private selectQueue() {
		const { interactive, batches } = this;
		if (batches.waiters.size === 0) return interactive;
		const isStarved = performance.now() - batches.waitingSince >= MAX_STARVATION_MS;
		const isBatchTurn = isStarved && interactive.waitingSince > batches.waitingSince;
		return isBatchTurn || interactive.waiters.size === 0 ? batches : interactive;
	}

	/** Cancels the newest batch requests, one for each waiting interactive request. */
	private preemptBatches() {
		for (const running of [...this.running].reverse()) {
			if (this.preempting.size >= this.interactive.waiters.size) return;
			const isCandidate = running.priority === 'batch' && !this.preempting.has(running);
			if (isCandidate && running.preempt()) this.preempting.add(running);
		}
	}
}
