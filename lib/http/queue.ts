/**
 * First-come queue in front of a server with few slots. `limit` may change between calls (a credential was edited);
 * 0 means no limit.
 */
export class RequestQueue {
	private running = 0;
	private readonly waiting: Array<() => void> = [];
	private currentLimit = 0;

	/** Requests that hold a place now. */
	get active(): number {
		return this.running;
	}

	/** Requests that wait for a place. */
	get length(): number {
		return this.waiting.length;
	}

	/**
	 * Waits for a place. Leaves the queue at once when `signal` aborts, with the signal's reason.
	 *
	 * @returns gives the place back; calling it twice is harmless
	 */
	async enter(limit: number, signal?: AbortSignal): Promise<() => void> {
		signal?.throwIfAborted();
		this.currentLimit = limit;
		// A raised limit lets those in who came before.
		this.admit();
		if (this.isFull()) await this.wait(signal);
		else this.running++;
		let left = false;
		return () => {
			if (left) return;
			left = true;
			this.running--;
			this.admit();
		};
	}

	private isFull(): boolean {
		return this.currentLimit > 0 && this.running >= this.currentLimit;
	}

	/** Takes the place for the woken request at once, so that a newcomer cannot slip in before it wakes up. */
	private admit(): void {
		while (this.waiting.length > 0 && !this.isFull()) {
			this.running++;
			this.waiting.shift()!();
		}
	}

	private async wait(signal?: AbortSignal): Promise<void> {
		await new Promise<void>((resolve, reject) => {
			const leave = () => {
				const place = this.waiting.indexOf(enter);
				if (place >= 0) this.waiting.splice(place, 1);
				reject(signal?.reason);
			};
			const enter = () => {
				signal?.removeEventListener('abort', leave);
				resolve();
			};
			this.waiting.push(enter);
			signal?.addEventListener('abort', leave, { once: true });
		});
	}
}
