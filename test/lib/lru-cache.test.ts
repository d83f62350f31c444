import { clearSharedCaches, LruCache } from '../../lib/lru-cache';

describe('a bounded cache', () => {
	it('evicts the least recently used of more than 1,000 entries', () => {
		const memory = new LruCache<number>();
		for (let at = 0; at < 1_000; at++) memory.set(String(at), at);
		expect(memory.get('0')).toBe(0);
		memory.set('new', 1);
		expect(['0', '1', '2', 'new'].map((key) => memory.get(key))).toEqual([0, undefined, 2, 1]);
	});

	it('may have its own limit', () => {
		const memory = new LruCache<number>({ ttlMs: 1_000, maxEntries: 2 });
		for (const key of ['a', 'b', 'c']) memory.set(key, 1);
		expect(['a', 'b', 'c'].map((key) => memory.get(key))).toEqual([undefined, 1, 1]);
	});

	it('evicts expired entries', () => {
		jest.useFakeTimers();
		try {
			const memory = new LruCache<number>({ ttlMs: 1_000 });
			memory.set('a', 1);
			jest.advanceTimersByTime(999);
			expect(memory.get('a')).toBe(1);
			jest.advanceTimersByTime(1);
			expect(memory.get('a')).toBeUndefined();
		} finally {
			jest.useRealTimers();
		}
	});

	it('is cleared for tests if it is shared', () => {
		const memory = LruCache.createShared<number>();
		memory.set('a', 1);
		clearSharedCaches();
		expect(memory.get('a')).toBeUndefined();
	});
});

afterEach(() => jest.restoreAllMocks());

it.each([-86_400_000, 86_400_000])(
	'a system clock that jumps by %d ms does not affect caches',
	(jump) => {
		const memory = new LruCache<number>({ ttlMs: 60_000 });
		memory.set('a', 1);
		const now = Date.now();
		jest.spyOn(Date, 'now').mockReturnValue(now + jump);
		expect(memory.get('a')).toBe(1);
	},
);
