/** Per cache, unless it sets its own. */
const MAX_ENTRIES = 1_000;

/** Milliseconds. A server may have been updated. */
export const TTL_MS = 10 * 60_000;

/** One request per key: concurrent and later callers share its result. An error is not kept, so the next call tries again. */
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

/** Derives a value once per object, which must not change. The value lives as long as the object. */
export function memoize<K extends object, V>(derive: (object: K) => V): (object: K) => V {
	const derived = new WeakMap<K, V>();
	return (object) => {
		const value = derived.get(object) ?? derive(object);
		derived.set(object, value);
		return value;
	};
}

/** The caches that exist as long as the process. */
const sharedCaches: Array<{ clear(): void }> = [];

interface CacheEntry<V> {
	value: V;
	/** By the monotonic clock: the system time may be set back. */
	expiresAt: number;
}

/** How long, and how much, a cache keeps. */
interface CacheLimits {
	/** Milliseconds for which a value is kept. Default: ten minutes. */
	ttlMs?: number;
	/** Default: 1,000. */
	maxEntries?: number;
}

/**
 * A bounded cache that evicts the least recently used entry. Each process has its own, including each worker of n8n's
 * queue mode, so everything must work without it, too.
 */
export class LruCache<V> {
	private readonly entries = new Map<string, CacheEntry<V>>();

	private readonly ttlMs: number;
	private readonly maxEntries: number;

	constructor({ ttlMs = TTL_MS, maxEntries = MAX_ENTRIES }: CacheLimits = {}) {
		this.ttlMs = ttlMs;
		this.maxEntries = maxEntries;
	}

	/** A cache for the whole process. */
	static createShared<V>(ttlMs?: number): LruCache<V> {
		const cache = new LruCache<V>({ ttlMs });
		sharedCaches.push(cache);
		return cache;
	}

	get(key: string): V | undefined {
		const entry = this.entries.get(key);
		this.entries.delete(key);
		if (entry === undefined || entry.expiresAt <= performance.now()) return undefined;
		this.entries.set(key, entry);
		return entry.value;
	}

	/** The value of a key, created if it is missing. It is kept for the whole time again. */
	use(key: string, create: () => V): V {
		const entry = this.entries.get(key);
		const now = performance.now();
		const value = entry !== undefined && entry.expiresAt > now ? entry.value : create();
		this.store(key, { value, expiresAt: now + this.ttlMs });
		return value;
	}

	set(key: string, value: V): void {
		this.store(key, { value, expiresAt: performance.now() + this.ttlMs });
	}

	private store(key: string, entry: CacheEntry<V>) {
		this.entries.delete(key);
		this.entries.set(key, entry);
		if (this.entries.size > this.maxEntries) this.entries.delete(this.entries.keys().next().value!);
	}

	delete(key: string): void {
		this.entries.delete(key);
	}

	clear(): void {
		this.entries.clear();
	}
}

/** Clears the shared caches. For tests. */
export function clearSharedCaches(): void {
	for (const cache of sharedCaches) cache.clear();
}
