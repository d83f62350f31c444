const queues = new Map<string, RequestQueue>();

/**
 * Waits for a place among the generations of one credential. A queue begins with its first request and is gone with its
 * last one. A credential without a limit (0) has none.
 *
 * @param id tells one credential from another: two of them never share a queue, whatever else they share
 * @param limit requests at once; part of what tells credentials apart
 * @param first in front of all that wait and are not: a short question waits for one generation at most
 * @returns gives the place back; calling it twice is harmless
 * @throws the reason of `signal`, as soon as that aborts
 */
export async function enterQueue(id: string, limit: number, signal?: AbortSignal, first = false): Promise<() => void> {
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

/** Requests that wait in any queue. For tests. */
export function queuedRequests(): number {
	return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
}

/** First-come queue in front of a server with few slots. */
export class RequestQueue {
	private running = 0;
	private readonly waitingInFront = new Set<() => void>();
	private readonly waiting = new Set<() => void>();

	/** @param limit requests that may hold a place at once, 1 or more; a new one counts from the next that leaves on */
	constructor(public limit: number) {}

	/** Requests that hold a place now. */
	get active(): number {
		return this.running;
	}

	/** Requests that wait for a place. */
	get length(): number {
		return this.waitingInFront.size + this.waiting.size;
	}

	/**
	 * Waits for a place. Leaves the queue at once when `signal` aborts, with the signal's reason.
	 *
	 * @returns gives the place back; calling it twice is harmless
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

	/** Takes the place for the woken request at once, so that a newcomer cannot slip in before it wakes up. */
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
