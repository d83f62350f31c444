interface LruCacheOptions<V> {
	/** How many values are kept, default 500. */
	maxEntries?: number;
	/** Milliseconds for which a value is kept, default: as long as there is room. */
	ttlMs?: number;
	/** Limit for the sum of `sizeOf` over all values, default: none. */
	maxSize?: number;
	sizeOf?(value: V): number;
}

/** One request per key: concurrent and later callers share its result. A failure is not kept, so the next call tries again. */
export async function fetchOnce<K, V>(
	cache: Map<K, Promise<V>>,
	key: K,
	fetch: () => Promise<V>,
): Promise<V> {
	const fetching = cache.get(key) ?? fetch();
	cache.set(key, fetching);
	fetching.catch(() => cache.delete(key));
	return await fetching;
}

/** Derives a value once per object, which must not change. It is kept as long as the object. */
export function memoized<K extends object, V>(derive: (object: K) => V): (object: K) => V {
	const derived = new WeakMap<K, V>();
	return (object) => {
		const value = derived.get(object) ?? derive(object);
		derived.set(object, value);
		return value;
	};
}

/** The caches of the whole process. */
const sharedCaches: Array<{ clear(): void }> = [];

/**
 * A bounded cache of hints; the least recently used entry goes first. Each process has its own, also each worker of
 * n8n's queue mode, so everything must work without it, too.
 */
export class LruCache<V> {
	/** `until` is on the monotonic clock: the one of the day may be set back. */
	private readonly entries = new Map<string, { value: V; until: number }>();
	private size = 0;

	constructor(private readonly options: LruCacheOptions<V> = {}) {}

	/** A cache for the whole process, which `clearSharedCaches` empties. */
	static shared<V>(options?: LruCacheOptions<V>): LruCache<V> {
		const cache = new LruCache(options);
		sharedCaches.push(cache);
		return cache;
	}

	get(key: string): V | undefined {
		const entry = this.entries.get(key);
		if (entry === undefined) return undefined;
		this.entries.delete(key);
		this.entries.set(key, entry);
		if (entry.until > clock.now()) return entry.value;
		this.delete(key);
		return undefined;
	}

	has(key: string): boolean {
		return this.get(key) !== undefined;
	}

	set(key: string, value: V): void {
		const { maxEntries = 500, ttlMs = Infinity, maxSize = Infinity } = this.options;
		this.delete(key);
		this.entries.set(key, { value, until: clock.now() + ttlMs });
		this.size += this.sizeOf(value);
		while (this.entries.size > maxEntries || this.size > maxSize)
			this.delete(this.entries.keys().next().value!);
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

/** Clears the caches of the whole process. For tests. */
export function clearSharedCaches(): void {
	for (const cache of sharedCaches) cache.clear();
}

/** The clock of this process: unlike that of the day, nobody sets it back. An object, so that tests can move it. */
const clock = { now: () => performance.now() };
