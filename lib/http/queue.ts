/** Classes of requests, the most urgent first. `person`: someone waits for the answer. `batch`: nobody waits. */
export type Priority = 'person' | 'batch';

export interface PermitRequest {
	priority: Priority;
	/** Ends the waiting. */
	signal?: AbortSignal;
	/** Gives the place of a batch up for a person. @returns whether it did */
	giveUp(): boolean;
}

interface WaitStats {
	waitedMs: number;
	/** A batch gave its place up for it. */
	wasGiven: boolean;
}

interface Permit extends WaitStats {
	/** Calling it twice is harmless. */
	leave(): void;
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
	return await queue.enter(request);
}

/** The waiting requests of one class. First come, first served. */
interface WaitingQueue {
	/** Each gets to know whether a place was given up. */
	starts: Set<(wasGiven: boolean) => void>;
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
	private readonly givingUp = new Set<PermitRequest>();
	private readonly persons: WaitingQueue = { starts: new Set(), waitsSince: 0 };
	private readonly batches: WaitingQueue = { starts: new Set(), waitsSince: 0 };

	constructor(private readonly id: string) {}

	/** Number of requests with a place. */
	get active(): number {
		return this.running.size;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.persons.starts.size + this.batches.starts.size;
	}

	/** Waits for a place. Rejects with the signal's reason when it aborts. */
	async enter(request: PermitRequest): Promise<Permit> {
		const running = { ...request };
		const isFree = this.active < this.limit && this.length === 0;
		const waited = isFree ? { waitedMs: 0, wasGiven: false } : await this.wait(running);
		if (isFree) this.running.add(running);
		return { ...waited, leave: () => this.leave(running) };
	}

	private leave(running: PermitRequest): void {
		const isGiven = this.givingUp.delete(running);
		if (!this.running.delete(running)) return;
		this.admit(isGiven);
		if (this.active === 0) queues.delete(this.id);
	}

	private async wait(running: PermitRequest): Promise<WaitStats> {
		const { priority, signal } = running;
		const line = priority === 'batch' ? this.batches : this.persons;
		const from = performance.now();
		return await new Promise((resolve, reject) => {
			const leave = () => {
				if (line.starts.delete(start)) reject(signal?.reason as Error);
			};
			const start = (wasGiven: boolean) => {
				signal?.removeEventListener('abort', leave);
				const waitedMs = performance.now() - from;
				// A batch that waited so long came before persons: then it does not give its place up to one.
				if (waitedMs >= MAX_STARVATION_MS) running.priority = 'person';
				this.running.add(running);
				resolve({ waitedMs, wasGiven });
			};
			if (line.starts.size === 0) line.waitsSince = from;
			line.starts.add(start);
			signal?.addEventListener('abort', leave, { once: true });
			this.admit();
			this.makeRoom();
		});
	}

	/** Reserves the place before the waiting request wakes up, so that no newcomer can take it. */
	private admit(isGiven = false): void {
		while (this.active < this.limit) {
			const line = this.nextLine();
			const [start] = line.starts;
			if (start === undefined) return;
			line.starts.delete(start);
			line.waitsSince = performance.now();
			start(isGiven && line === this.persons);
		}
	}

	/** Persons, unless batches were passed over for a minute, and persons had a turn after them. */
	private nextLine(): WaitingQueue {
		const { persons, batches } = this;
		if (batches.starts.size === 0) return persons;
		const isLate = performance.now() - batches.waitsSince >= MAX_STARVATION_MS;
		const isTurn = isLate && persons.waitsSince > batches.waitsSince;
		return isTurn || persons.starts.size === 0 ? batches : persons;
	}

	/** Lets the youngest batches give up their places, one for each person that waits. */
	private makeRoom(): void {
		for (const running of [...this.running].reverse()) {
			if (this.givingUp.size >= this.persons.starts.size) return;
			const isAsked = running.priority === 'batch' && !this.givingUp.has(running);
			if (isAsked && running.giveUp()) this.givingUp.add(running);
		}
	}
}
