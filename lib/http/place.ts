import { asFailed } from '../errors/server-error';

/** How often one request gives up its place, at most. */
const MAX_TIMES = 2;

/**
 * The place of a request in the queue, over all its attempts: how long it waited, whether it gave its place to a person
 * or got one so.
 */
export class Place {
	/** Milliseconds in the queue. */
	waitedMs = 0;
	/** Whether a batch gave up its place for this request. */
	wasGiven = false;
	timesGivenUp = 0;
	private attempt = new AbortController();

	/** @param isRepeatable whether the request may be ended and sent again: nothing of its answer was shown or used */
	constructor(private readonly isRepeatable: boolean) {}

	/** Whether the last attempt was ended for a person. */
	get wasGivenUp(): boolean {
		return this.attempt.signal.aborted;
	}

	/** @returns the signal of the next attempt, which also aborts when the place is given up */
	begin(signal?: AbortSignal): AbortSignal | undefined {
		if (!this.isRepeatable) return signal;
		this.attempt = new AbortController();
		return AbortSignal.any([this.attempt.signal, ...(signal === undefined ? [] : [signal])]);
	}

	/** Called when the request gets its place. */
	enter(waitedMs: number, wasGiven: boolean): void {
		this.waitedMs += waitedMs;
		this.wasGiven ||= wasGiven;
	}

	/** Ends the attempt for a person. @returns false if the request keeps its place */
	giveUp(): boolean {
		if (!this.isRepeatable || this.wasGivenUp || this.timesGivenUp >= MAX_TIMES) return false;
		this.timesGivenUp++;
		this.attempt.abort();
		return true;
	}

	/** Runs idempotent work, and runs it again each time it was ended for a person. */
	async keepTrying<T>(
		signal: AbortSignal | undefined,
		work: (signal: AbortSignal | undefined) => Promise<T>,
	): Promise<T> {
		for (;;) {
			const outcome = await work(this.begin(signal)).then((value) => ({ value }), asFailed);
			if ('value' in outcome) return outcome.value;
			if (!this.wasGivenUp || signal?.aborted === true) throw outcome.failed;
		}
	}
}
