/** Milliseconds. A server may have been updated. */
export const TTL_MS = 10 * 60_000;

/** One request per key: concurrent and later callers share its result. An error is not kept, so the next call tries again. */
export async function fetchOnce<V>(
	cache: LruCache<Promise<V>>,
	key: string,
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

interface CacheEntry<V> {
	value: V;
	/** Memory that counts against the limit of the cache. */
	bytes: number;
	/** By the monotonic clock: the system time may be set back. */
	expiresAt: number;
}

/** How long, and how much, a cache keeps. */
export interface CacheLimits {
	/** Milliseconds for which a value is kept after it was set, or after the last call of `use`. */
	ttlMs: number;
	maxEntries: number;
	/** Memory of all values together, as their owner says. Default: no limit. */
	maxBytes?: number;
	/** Whether a value that is read is kept for the whole time again. Default: no. */
	isRenewedByUse?: boolean;
}

/** A bounded cache that evicts the least recently used entry. `kept.ts` creates all of them. */
export class LruCache<V> {
	private readonly entries = new Map<string, CacheEntry<V>>();

	private bytes = 0;

	constructor(private readonly limits: CacheLimits) {}

	get(key: string): V | undefined {
		const entry = this.entries.get(key);
		if (entry === undefined) return undefined;
		this.delete(key);
		const now = performance.now();
		if (entry.expiresAt <= now) return undefined;
		const { isRenewedByUse, ttlMs } = this.limits;
		this.store(key, isRenewedByUse ? { ...entry, expiresAt: now + ttlMs } : entry);
		return entry.value;
	}

	/** The value of a key, created if it is missing. It is kept for the whole time again. */
	use(key: string, create: () => V): V {
		const entry = this.entries.get(key);
		const now = performance.now();
		const value = entry !== undefined && entry.expiresAt > now ? entry.value : create();
		this.store(key, { value, bytes: entry?.bytes ?? 0, expiresAt: now + this.limits.ttlMs });
		return value;
	}

	/** @param bytes - Memory of the value, if the cache has a limit for it. */
	set(key: string, value: V, bytes = 0): void {
		this.store(key, { value, bytes, expiresAt: performance.now() + this.limits.ttlMs });
	}

	private store(key: string, entry: CacheEntry<V>) {
		const { maxEntries, maxBytes = Infinity } = this.limits;
		this.delete(key);
		if (entry.bytes > maxBytes) return;
		this.entries.set(key, entry);
		this.bytes += entry.bytes;
		while (this.entries.size > maxEntries || this.bytes > maxBytes)
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
