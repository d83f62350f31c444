import { afterMs, MAX_TIMER_MS } from '../../http/limits';

/** Items that wait to be taken, one at a time. */
export class Inbox<T> {
	private readonly items: T[] = [];
	private wake: (() => void) | undefined;
	private broken: { error: unknown } | undefined;

	put(item: T): void {
		this.items.push(item);
		this.wake?.();
	}

	/** Makes `take` throw. */
	fail(error: unknown): void {
		this.broken ??= { error };
		this.wake?.();
	}

	/** The next item; undefined where none came until then. @param until a time of `performance.now()` */
	async take(until: number | undefined): Promise<T | undefined> {
		if (this.items.length === 0 && this.broken === undefined) await this.arrival(until);
		if (this.broken !== undefined) throw this.broken.error;
		return this.items.shift();
	}

	private async arrival(until: number | undefined): Promise<void> {
		await new Promise<void>((resolve) => {
			const cancelTimer =
				until === undefined ? () => {} : afterMs(timerMs(until - performance.now()), resolve);
			this.wake = () => {
				cancelTimer();
				resolve();
			};
		});
		this.wake = undefined;
	}
}

function timerMs(ms: number): number {
	return Math.min(Math.max(1, Math.ceil(ms)), MAX_TIMER_MS);
}
