/**
 * Classes of requests, the most urgent first. `check`: short calls, which wait for one generation at most. `person`:
 * someone waits for the answer. `agent`: another workflow waits. `batch`: nobody waits.
 */
export const PRIORITIES = ['check', 'person', 'agent', 'batch'] as const;

export type Priority = (typeof PRIORITIES)[number];

/** A request that waits for a place. */
export interface Waiting {
	priority: Priority;
	/** Who waits: persons take turns. Other classes are first come, first served. */
	user: string;
}

/** A class that waited this long without a turn goes next, whatever its class is. */
export const PATIENCE_MS = 60_000;

/**
 * Decides who gets the next place: the most urgent class, unless another was passed over for a minute. Knows no clock
 * and no server.
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

/** The waiting requests of one class. Its users take turns, each with one request. */
class Line<T extends Waiting> {
	/** In the order of their turns. No set is empty. */
	private readonly users = new Map<string, Set<T>>();
	length = 0;
	/** When the first one began to wait, or when the last turn was. */
	waitsSince = 0;

	add(request: T, now: number): void {
		if (this.length === 0) this.waitsSince = now;
		const user = turnOf(request);
		const requests = this.users.get(user) ?? new Set();
		this.users.set(user, requests.add(request));
		this.length++;
	}

	remove(request: T): boolean {
		const user = turnOf(request);
		const requests = this.users.get(user);
		if (requests?.delete(request) !== true) return false;
		if (requests.size === 0) this.users.delete(user);
		this.length--;
		return true;
	}

	next(now: number): T | undefined {
		for (const [user, requests] of this.users)
			for (const request of requests) {
				this.remove(request);
				this.waitsSince = now;
				this.toTheEnd(user);
				return request;
			}
		return undefined;
	}

	private toTheEnd(user: string): void {
		const requests = this.users.get(user);
		if (requests === undefined) return;
		this.users.delete(user);
		this.users.set(user, requests);
	}
}

function turnOf({ priority, user }: Waiting): string {
	return priority === 'person' ? user : '';
}
