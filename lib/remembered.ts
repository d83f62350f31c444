export interface RememberedOptions<V> {
	/** How many values are kept, default 500. */
	most?: number;
	/** Milliseconds for which a value is kept, default: as long as there is room. */
	forMs?: number;
	/** Bounds the sum of the sizes of the values, where these differ much. */
	mostInAll?: number;
	sizeOf?(value: V): number;
}

/** Asks once for each key; all others wait for the same answer. A failure is not remembered: the next try may fare better. */
export async function askedOnce<K, V>(known: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
	const asking = known.get(key) ?? ask();
	known.set(key, asking);
	asking.catch(() => known.delete(key));
	return await asking;
}

/** What follows from an object that stays as it is: derived once, and kept as long as the object. */
export function oncePer<K extends object, V>(derive: (object: K) => V): (object: K) => V {
	const derived = new WeakMap<K, V>();
	return (object) => {
		const value = derived.get(object) ?? derive(object);
		derived.set(object, value);
		return value;
	};
}

/** What is kept for the whole process. */
const shared: Array<{ clear(): void }> = [];

/**
 * What was learned and is only a hint, by key: bounded, and gone with the process, so that everything works without it
 * as well, as between the workers of n8n's queue mode. The least recently used goes first.
 */
export class Remembered<V> {
	private readonly entries = new Map<string, { value: V; until: number }>();
	private size = 0;

	constructor(private readonly options: RememberedOptions<V> = {}) {}

	/** A memory for the whole process, which `forgetAll` empties. */
	static inProcess<V>(options?: RememberedOptions<V>): Remembered<V> {
		const memory = new Remembered(options);
		shared.push(memory);
		return memory;
	}

	get(key: string): V | undefined {
		const entry = this.entries.get(key);
		if (entry === undefined) return undefined;
		this.entries.delete(key);
		this.entries.set(key, entry);
		if (entry.until > Date.now()) return entry.value;
		this.delete(key);
		return undefined;
	}

	has(key: string): boolean {
		return this.get(key) !== undefined;
	}

	set(key: string, value: V): void {
		const { most = 500, forMs = Infinity, mostInAll = Infinity } = this.options;
		this.delete(key);
		this.entries.set(key, { value, until: Date.now() + forMs });
		this.size += this.sizeOf(value);
		while (this.entries.size > most || this.size > mostInAll) this.delete(this.entries.keys().next().value!);
	}

	delete(key: string): void {
		const entry = this.entries.get(key);
		if (entry === undefined) return;
		this.entries.delete(key);
		this.size -= this.sizeOf(entry.value);
	}

	clear(): void {
		this.entries.clear();
		this.size = 0;
	}

	private sizeOf(value: V): number {
		return this.options.sizeOf?.(value) ?? 0;
	}
}

/** Forgets everything that the process has learned. For tests. */
export function forgetAll(): void {
	for (const memory of shared) memory.clear();
}
