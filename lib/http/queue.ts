/** Classes of requests, the most urgent first. `person`: someone waits for the answer. `batch`: nobody waits. */
export type Priority = 'person' | 'batch';

/** What gets to know of the waiting of a request. */
interface QueuePlace {
	/** @param wasGiven whether a batch gave its place up for it */
	enter(waitedMs: number, wasGiven: boolean): void;
	/** Gives the place up for a person. @returns whether it did */
	giveUp(): boolean;
}

/** How a request waits for a place, and whether it gives its place to a person. */
export interface PlaceRequest {
	priority?: Priority;
	/** Ends the waiting. */
	signal?: AbortSignal;
	/** Gets to know of the waiting. That of a batch may have to give itself up for a person. */
	place?: QueuePlace;
}

const queues = new Map<string, RequestQueue>();

/**
 * Waits for a place in a queue, which exists from its first to its last request.
 *
 * @param limit concurrent requests. A server's own number of slots may become known or change while the queue exists.
 * @returns a function that frees the place; calling it twice is harmless
 * @throws the reason of the signal, as soon as that aborts
 */
export async function enterQueue(
	id: string,
	limit: number,
	request: PlaceRequest = {},
): Promise<() => void> {
	const queue = queues.get(id) ?? new RequestQueue(limit);
	queue.limit = limit;
	queues.set(id, queue);
	const dropIfEmpty = () => {
		if (queue.active === 0 && queue.length === 0 && queues.get(id) === queue) queues.delete(id);
	};
	const entering = queue.enter(request);
	entering.catch(dropIfEmpty);
	const leave = await entering;
	return () => {
		leave();
		dropIfEmpty();
	};
}

/** Number of requests waiting in any queue. For tests. */
export function queuedRequests(): number {
	return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
}

interface Running extends PlaceRequest {
	/** It had waited so long that it came before persons; then it does not give its place up to one. */
	keepsPlace?: true;
}

/** The waiting requests of one class. First come, first served. */
interface Line {
	/** Each gets to know whether a place was given up. */
	starts: Set<(wasGiven: boolean) => void>;
	/** When the first one began to wait, or when the last turn was. */
	waitsSince: number;
}

/** A class that waited this long without a turn goes next, whatever its class is. */
export const PATIENCE_MS = 60_000;

/** Queue for a server with few slots. */
export class RequestQueue {
	/** In the order in which they got their place. */
	private readonly running = new Set<Running>();
	/** Requests that were told to give up their place, and still have it. */
	private readonly givingUp = new Set<Running>();
	private readonly persons: Line = { starts: new Set(), waitsSince: 0 };
	private readonly batches: Line = { starts: new Set(), waitsSince: 0 };

	/** @param limit concurrent requests, at least 1; a new value applies from the next request that enters or leaves */
	constructor(public limit: number) {}

	/** Number of requests with a place. */
	get active(): number {
		return this.running.size;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.persons.starts.size + this.batches.starts.size;
	}

	/**
	 * Waits for a place. Rejects with the signal's reason when it aborts.
	 *
	 * @returns a function that frees the place; calling it twice is harmless
	 */
	async enter(request: PlaceRequest = {}): Promise<() => void> {
		request.signal?.throwIfAborted();
		const running: Running = { ...request };
		if (this.active < this.limit && this.length === 0) this.running.add(running);
		else await this.wait(running);
		return () => {
			const isGiven = this.givingUp.delete(running);
			if (this.running.delete(running)) this.admit(isGiven);
		};
	}

	private async wait(running: Running): Promise<void> {
		const { priority, signal, place } = running;
		const line = priority === 'batch' ? this.batches : this.persons;
		const from = performance.now();
		await new Promise<void>((resolve, reject) => {
			const leave = () => {
				if (line.starts.delete(start)) reject(signal?.reason as Error);
			};
			const start = (wasGiven: boolean) => {
				signal?.removeEventListener('abort', leave);
				const waitedMs = performance.now() - from;
				if (waitedMs >= PATIENCE_MS) running.keepsPlace = true;
				this.running.add(running);
				place?.enter(waitedMs, wasGiven);
				resolve();
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
	private nextLine(): Line {
		const { persons, batches } = this;
		if (persons.starts.size === 0 || batches.starts.size === 0)
			return persons.starts.size === 0 ? batches : persons;
		const isPatient = performance.now() - batches.waitsSince < PATIENCE_MS;
		return isPatient || persons.waitsSince <= batches.waitsSince ? persons : batches;
	}

	/** Lets one batch give up its place for each person that waits. */
	private makeRoom(): void {
		let isGivenUp = true;
		while (isGivenUp && this.givingUp.size < this.persons.starts.size)
			isGivenUp = this.giveUpBatch();
	}

	/** Lets the youngest batch that may do so give up its place. @returns false if none may */
	private giveUpBatch(): boolean {
		for (const running of [...this.running].reverse()) {
			if (running.priority !== 'batch' || running.keepsPlace || this.givingUp.has(running))
				continue;
			this.givingUp.add(running);
			if (running.place?.giveUp() === true) return true;
			this.givingUp.delete(running);
		}
		return false;
	}
}
