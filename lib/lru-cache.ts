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
	/** Memory that counts against the limit of the cache. */
	bytes: number;
	/** By the monotonic clock: the system time may be set back. */
	expiresAt: number;
}

/** How long, and how much, a cache keeps. */
export interface CacheLimits {
	/** Milliseconds for which a value is kept. Default: ten minutes. */
	ttlMs?: number;
	/** Default: 1,000. */
	maxEntries?: number;
	/** Memory of all values together, as their owner says. Default: no limit. */
	maxBytes?: number;
	/** Whether a value that is read is kept for the whole time again. Default: no. */
	isRenewedByUse?: boolean;
}

/**
 * A bounded cache that evicts the least recently used entry. Each process has its own, including each worker of n8n's
 * queue mode, so everything must work without it, too.
 */
export class LruCache<V> {
	private readonly entries = new Map<string, CacheEntry<V>>();

	private readonly ttlMs: number;
	private readonly maxEntries: number;
	private readonly maxBytes: number;
	private readonly isRenewedByUse: boolean;
	private bytes = 0;

	constructor({
		ttlMs = TTL_MS,
		maxEntries = MAX_ENTRIES,
		maxBytes = Infinity,
		isRenewedByUse = false,
	}: CacheLimits = {}) {
		this.ttlMs = ttlMs;
		this.maxEntries = maxEntries;
		this.maxBytes = maxBytes;
		this.isRenewedByUse = isRenewedByUse;
	}

	/** A cache for the whole process. */
	static createShared<V>(limits?: CacheLimits): LruCache<V> {
		const cache = new LruCache<V>(limits);
		sharedCaches.push(cache);
		return cache;
	}

	get(key: string): V | undefined {
		const entry = this.entries.get(key);
		if (entry === undefined) return undefined;
		this.delete(key);
		const now = performance.now();
		if (entry.expiresAt <= now) return undefined;
		this.store(key, this.isRenewedByUse ? { ...entry, expiresAt: now + this.ttlMs } : entry);
		return entry.value;
	}

	/** The value of a key, created if it is missing. It is kept for the whole time again. */
	use(key: string, create: () => V): V {
		const entry = this.entries.get(key);
		const now = performance.now();
		const value = entry !== undefined && entry.expiresAt > now ? entry.value : create();
		this.store(key, { value, bytes: entry?.bytes ?? 0, expiresAt: now + this.ttlMs });
		return value;
	}

	/** @param bytes - Memory of the value, if the cache has a limit for it. */
	set(key: string, value: V, bytes = 0): void {
		this.store(key, { value, bytes, expiresAt: performance.now() + this.ttlMs });
	}

	private store(key: string, entry: CacheEntry<V>) {
		this.delete(key);
		if (entry.bytes > this.maxBytes) return;
		this.entries.set(key, entry);
		this.bytes += entry.bytes;
		while (this.entries.size > this.maxEntries || this.bytes > this.maxBytes)
			this.delete(this.entries.keys().next().value!);
	}

	delete(key: string): void {
		this.bytes -= this.entries.get(key)?.bytes ?? 0;
		this.entries.delete(key);
	}

	clear(): void {
		this.entries.clear();
		this.bytes = 0;
	}
}

/** Clears the shared caches. For tests. */
export function clearSharedCaches(): void {
	for (const cache of sharedCaches) cache.clear();
}
