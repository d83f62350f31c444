/** Classes of requests, the most urgent first. `person`: someone waits for the answer. `batch`: nobody waits. */
export type Priority = 'interactive' | 'batch';

export interface PermitRequest {
	priority: Priority;
	/** Ends the waiting. */
	signal?: AbortSignal;
	/** Gives the place of a batch up for a person. @returns whether it did */
	preempt(): boolean;
}

interface WaitStats {
	waitedMs: number;
	/** A batch gave its place up for it. */
	hasPreemptedBatch: boolean;
}

interface Permit extends WaitStats {
	/** Calling it twice is harmless. */
	release(): void;
}

const queues = new Map<string, RequestQueue>();

/**
 * Waits for a place in a queue, which exists from its first to its last request.
 *
 * @param limit concurrent requests. A server's own number of slots may become known or change while the queue exists.
 * @throws the reason of the signal, as soon as that aborts
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

/** The waiting requests of one class. First come, first served. */
interface WaitingQueue {
	/** Each gets to know whether a place was given up. */
	waiters: Set<(wasGiven: boolean) => void>;
	/** When the first one began to wait, or when the last turn was. */
	waitsSince: number;
}

/** A class that waited this long without a turn goes next, whatever its class is. */
export const MAX_STARVATION_MS = 60_000;

/** Queue for a server with few slots. */
export class RequestQueue {
	/** Concurrent requests, at least 1; a new value applies from the next request that enters or leaves. */
	limit = 1;
	/** In the order in which they got their place. */
	private readonly running = new Set<PermitRequest>();
	/** Requests that were told to give up their place, and still have it. */
	private readonly preempting = new Set<PermitRequest>();
	private readonly interactive: WaitingQueue = { waiters: new Set(), waitsSince: 0 };
	private readonly batches: WaitingQueue = { waiters: new Set(), waitsSince: 0 };

	constructor(private readonly id: string) {}

	/** Number of requests with a place. */
	get active(): number {
		return this.running.size;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.interactive.waiters.size + this.batches.waiters.size;
	}

	/** Waits for a place. Rejects with the signal's reason when it aborts. */
	async acquire(request: PermitRequest): Promise<Permit> {
		const running = { ...request };
		const isFree = this.active < this.limit && this.length === 0;
		const waited = isFree ? { waitedMs: 0, hasPreemptedBatch: false } : await this.wait(running);
		if (isFree) this.running.add(running);
		return { ...waited, release: () => this.release(running) };
	}

	private release(running: PermitRequest): void {
		const isGiven = this.preempting.delete(running);
		if (!this.running.delete(running)) return;
		this.admitNext(isGiven);
		if (this.active === 0) queues.delete(this.id);
	}

	private async wait(running: PermitRequest): Promise<WaitStats> {
		const { priority, signal } = running;
		const line = priority === 'batch' ? this.batches : this.interactive;
		const from = performance.now();
		return await new Promise((resolve, reject) => {
			const leave = () => {
				if (line.waiters.delete(start)) reject(signal?.reason as Error);
			};
			const start = (hasPreemptedBatch: boolean) => {
				signal?.removeEventListener('abort', leave);
				const waitedMs = performance.now() - from;
				// A batch that waited so long came before persons: then it does not give its place up to one.
				if (waitedMs >= MAX_STARVATION_MS) running.priority = 'interactive';
				this.running.add(running);
				resolve({ waitedMs, hasPreemptedBatch });
			};
			if (line.waiters.size === 0) line.waitsSince = from;
			line.waiters.add(start);
			signal?.addEventListener('abort', leave, { once: true });
			this.admitNext();
			this.preemptBatches();
		});
	}

	/** Reserves the place before the waiting request wakes up, so that no newcomer can take it. */
	private admitNext(isGiven = false): void {
		while (this.active < this.limit) {
			const line = this.selectQueue();
			const [start] = line.waiters;
			if (start === undefined) return;
			line.waiters.delete(start);
			line.waitsSince = performance.now();
			start(isGiven && line === this.interactive);
		}
	}

	/** Persons, unless batches were passed over for a minute, and persons had a turn after them. */
	private selectQueue(): WaitingQueue {
		const { interactive, batches } = this;
		if (batches.waiters.size === 0) return interactive;
		const isLate = performance.now() - batches.waitsSince >= MAX_STARVATION_MS;
		const isTurn = isLate && interactive.waitsSince > batches.waitsSince;
		return isTurn || interactive.waiters.size === 0 ? batches : interactive;
	}

	/** Lets the youngest batches give up their places, one for each person that waits. */
	private preemptBatches(): void {
		for (const running of [...this.running].reverse()) {
			if (this.preempting.size >= this.interactive.waiters.size) return;
			const isAsked = running.priority === 'batch' && !this.preempting.has(running);
			if (isAsked && running.preempt()) this.preempting.add(running);
		}
	}
}
