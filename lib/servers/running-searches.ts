/**
 * Searches for what a server accepts. In: requests of one execution that the server refused alike. Out: what one of them found
 * for all. Remembers: those that run.
 */
import type { RequestChange } from './lessons';

/**
 * The result of a search. `accepted`: the server began to respond to a request with these changes. `refused`: it accepted none.
 * `abandoned`: nobody knows, since the request ended for another reason.
 */
export type SearchResult =
	| { type: 'accepted'; changes: readonly RequestChange[] }
	| { type: 'refused' }
	| { type: 'abandoned' };

/** A search of one exchange, for which others wait. */
export class RunningSearch {
	/** Resolves when its result is known. */
	readonly result: Promise<SearchResult>;

	private resolve: (result: SearchResult) => void = () => {};

	constructor(private readonly onEnd: () => void) {
		this.result = new Promise((resolve) => {
			this.resolve = resolve;
		});
	}

	/** The server accepts these changes. Others find the search until its exchange has ended, and has taught them to all. */
	accept(changes: readonly RequestChange[]): void {
		this.resolve({ type: 'accepted', changes });
	}

	/** The exchange has ended. A result that is known stays. */
	end(result: SearchResult): void {
		this.onEnd();
		this.resolve(result);
	}
}

/** The searches that run, by their keys. */
export class RunningSearches {
	private readonly searches = new Map<string, RunningSearch>();

	/** Undefined if none runs. */
	find(key: string): RunningSearch | undefined {
		return this.searches.get(key);
	}

	/** The search is found until it ends. */
	begin(key: string): RunningSearch {
		const search = new RunningSearch(() => {
			if (this.searches.get(key) === search) this.searches.delete(key);
		});
		this.searches.set(key, search);
		return search;
	}
}
