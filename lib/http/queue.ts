const queues = new Map<string, RequestQueue>();

/** What gets to know of the waiting of a request. */
interface QueuePlace {
	/** @param wasGiven whether a batch gave its place up for it */
	enter(waitedMs: number, wasGiven: boolean): void;
	/** Gives the place up for a person. @returns whether it did */
	giveUp(): boolean;
}

/** How a request waits for a place, and whether it gives its place to a person. */
export interface PlaceRequest extends Partial<Waiting> {
	/** Ends the waiting. */
	signal?: AbortSignal;
	/** Gets to know of the waiting. That of a batch may have to give itself up for a person. */
	place?: QueuePlace;
}

/**
 * Waits for a place in the queue of one credential. A queue exists from its first to its last request. Without a limit
 * (0) there is no queue.
 *
 * @param id identifies server and credential
 * @param limit concurrent requests; different limits have different queues
 * @returns a function that frees the place; calling it twice is harmless
 * @throws the reason of the signal, as soon as that aborts
 */
export async function enterQueue(
	id: string,
	limit: number,
	request: PlaceRequest = {},
): Promise<() => void> {
	request.signal?.throwIfAborted();
	if (limit <= 0) return () => {};
	return await enterNamed(`${limit} ${id}`, limit, request);
}

/**
 * The same with the server's own number of slots, which may become known or change while the queue exists.
 *
 * @param slots undefined if it is not known
 */
export async function enterAutomaticQueue(
	id: string,
	slots: number | undefined,
	request: PlaceRequest = {},
): Promise<() => void> {
	return await enterNamed(`automatic ${id}`, slots ?? Infinity, request);
}

async function enterNamed(key: string, limit: number, request: PlaceRequest): Promise<() => void> {
	const queue = queues.get(key) ?? new RequestQueue(limit);
	queue.limit = limit;
	queues.set(key, queue);
	const dropIfEmpty = () => {
		if (queue.active === 0 && queue.length === 0 && queues.get(key) === queue) queues.delete(key);
	};
	let leave: (() => void) | undefined;
	try {
		leave = await queue.enter(request);
	} finally {
		if (leave === undefined) dropIfEmpty();
	}
	return () => {
		leave();
		dropIfEmpty();
	};
}

/** Number of requests waiting in any queue. For tests. */
export function queuedRequests(): number {
	return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
}

interface WaitingRequest extends Waiting {
	enter(wasGiven: boolean): void;
}

interface Running extends Pick<PlaceRequest, 'place'> {
	priority: Priority;
	/** It had waited so long that it came before persons; then it does not give its place up to one. */
	keepsPlace?: true;
}

/** Queue for a server with few slots. `Scheduler` has the order. */
export class RequestQueue {
	/** In the order in which they got their place. */
	private readonly running = new Set<Running>();
	private readonly waiting = new Scheduler<WaitingRequest>();
	/** Requests that were told to give up their place, and still have it. */
	private readonly givingUp = new Set<Running>();

	/** @param limit concurrent requests, at least 1; a new value applies from the next request that enters or leaves */
	constructor(public limit: number) {}

	/** Number of requests with a place. */
	get active(): number {
		return this.running.size;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.waiting.length;
	}

	/**
	 * Waits for a place. Rejects with the signal's reason when it aborts.
	 *
	 * @returns a function that frees the place; calling it twice is harmless
	 */
	async enter({ signal, priority = 'person', place }: PlaceRequest = {}): Promise<() => void> {
		signal?.throwIfAborted();
		const running: Running = { priority, place };
		const hasRoom = this.active < this.limit && this.length === 0;
		if (hasRoom) this.running.add(running);
		else await this.wait({ priority }, running, signal);
		return () => {
			const isGiven = this.givingUp.delete(running);
			if (this.running.delete(running)) this.admit(isGiven);
		};
	}

	/** Reserves the place before the waiting request wakes up, so that no newcomer can take it. */
	private admit(isGiven = false): void {
		while (this.active < this.limit) {
			const next = this.waiting.next(performance.now());
			if (next === undefined) return;
			next.enter(isGiven && next.priority === 'person');
		}
	}

	private async wait(request: Waiting, running: Running, signal?: AbortSignal): Promise<void> {
		const from = performance.now();
		await new Promise<void>((resolve, reject) => {
			const leave = () => {
				if (this.waiting.remove(waiting)) reject(signal?.reason as Error);
			};
			const waiting: WaitingRequest = {
				...request,
				enter: (wasGiven) => {
					signal?.removeEventListener('abort', leave);
					const waitedMs = performance.now() - from;
					if (waitedMs >= PATIENCE_MS) running.keepsPlace = true;
					this.running.add(running);
					running.place?.enter(waitedMs, wasGiven);
					resolve();
				},
			};
			this.waiting.add(waiting, performance.now());
			signal?.addEventListener('abort', leave, { once: true });
			this.admit();
			this.makeRoom();
		});
	}

	/** Lets one batch give up its place for each person that waits. */
	private makeRoom(): void {
		let isGivenUp = true;
		while (isGivenUp && this.givingUp.size < this.waiting.waiting('person'))
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

/** Classes of requests, the most urgent first. `person`: someone waits for the answer. `batch`: nobody waits. */
const PRIORITIES = ['person', 'batch'] as const;

export type Priority = (typeof PRIORITIES)[number];

/** A request that waits for a place. */
export interface Waiting {
	priority: Priority;
}

/** A class that waited this long without a turn goes next, whatever its class is. */
export const PATIENCE_MS = 60_000;

/**
 * Decides who gets the next place: the most urgent class, unless another was passed over for a minute. Within a class:
 * first come, first served. Knows no clock and no server.
 */
export class Scheduler<T extends Waiting> {
	private readonly lines = PRIORITIES.map(() => new Line<T>());

	/** Number of waiting requests. */
	get length(): number {
		return this.lines.reduce((sum, { length }) => sum + length, 0);
	}

	/** Number of waiting requests of one class. */
	waiting(priority: Priority): number {
		return this.lineOf(priority).length;
	}

	/** @param now a time in milliseconds, as in all of these methods */
	add(request: T, now: number): void {
		this.lineOf(request.priority).add(request, now);
	}

	/** @returns whether the request was waiting */
	remove(request: T): boolean {
		return this.lineOf(request.priority).remove(request);
	}

	/** Takes out the request whose turn it is; undefined if nobody waits. */
	next(now: number): T | undefined {
		const lines = this.lines.filter(({ length }) => length > 0);
		const impatient = lines.filter((line) => now - line.waitsSince >= PATIENCE_MS);
		const longest = impatient.sort((one, other) => one.waitsSince - other.waitsSince)[0];
		return (longest ?? lines[0])?.next(now);
	}

	private lineOf(priority: Priority): Line<T> {
		return this.lines[PRIORITIES.indexOf(priority)]!;
	}
}

/** The waiting requests of one class. */
class Line<T> {
	private readonly requests = new Set<T>();
	/** When the first one began to wait, or when the last turn was. */
	waitsSince = 0;

	get length(): number {
		return this.requests.size;
	}

	add(request: T, now: number): void {
		if (this.length === 0) this.waitsSince = now;
		this.requests.add(request);
	}

	remove(request: T): boolean {
		return this.requests.delete(request);
	}

	next(now: number): T | undefined {
		const [first] = this.requests;
		if (first === undefined) return undefined;
		this.remove(first);
		this.waitsSince = now;
		return first;
	}
}
