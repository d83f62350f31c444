const queues = new Map<string, RequestQueue>();

/**
 * Waits for a place in the queue of one credential. A queue exists from its first to its last request. Without a limit
 * (0) there is no queue.
 *
 * @param id identifies server and credential
 * @param limit concurrent requests; different limits have different queues
 * @param first wait in front of normal requests, so that a short call waits for one generation at most
 * @returns a function that frees the place; calling it twice is harmless
 * @throws the reason of `signal`, as soon as that aborts
 */
export async function enterQueue(
	id: string,
	limit: number,
	signal?: AbortSignal,
	first = false,
): Promise<() => void> {
	signal?.throwIfAborted();
	if (limit <= 0) return () => {};
	const key = `${limit} ${id}`;
	const queue = queues.get(key) ?? new RequestQueue(limit);
	queues.set(key, queue);
	const dropIfEmpty = () => {
		if (queue.active === 0 && queue.length === 0 && queues.get(key) === queue) queues.delete(key);
	};
	let leave: (() => void) | undefined;
	try {
		leave = await queue.enter(signal, first);
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

/** First-in-first-out queue for a server with few slots. */
export class RequestQueue {
	private running = 0;
	private readonly waitingInFront = new Set<() => void>();
	private readonly waiting = new Set<() => void>();

	/** @param limit concurrent requests, at least 1; a new value applies from the next request that leaves */
	constructor(public limit: number) {}

	/** Number of requests with a place. */
	get active(): number {
		return this.running;
	}

	/** Number of waiting requests. */
	get length(): number {
		return this.waitingInFront.size + this.waiting.size;
	}

	/**
	 * Waits for a place. Rejects with the signal's reason when `signal` aborts.
	 *
	 * @returns a function that frees the place; calling it twice is harmless
	 */
	async enter(signal?: AbortSignal, first = false): Promise<() => void> {
		signal?.throwIfAborted();
		const isFull = this.running >= this.limit || this.length > 0;
		if (isFull) await this.wait(first ? this.waitingInFront : this.waiting, signal);
		else this.running++;
		let left = false;
		return () => {
			if (left) return;
			left = true;
			this.running--;
			this.admit();
		};
	}

	/** Reserves the place before the waiting request wakes up, so that no newcomer can take it. */
	private admit(): void {
		for (const line of [this.waitingInFront, this.waiting])
			for (const enter of line) {
				if (this.running >= this.limit) return;
				this.running++;
				line.delete(enter);
				enter();
			}
	}

	private async wait(line: Set<() => void>, signal?: AbortSignal): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			const leave = () => {
				if (line.delete(enter)) reject(signal?.reason as Error);
			};
			const enter = () => {
				signal?.removeEventListener('abort', leave);
				resolve();
			};
			line.add(enter);
			signal?.addEventListener('abort', leave, { once: true });
		});
	}
}
