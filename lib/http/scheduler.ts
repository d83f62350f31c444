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
