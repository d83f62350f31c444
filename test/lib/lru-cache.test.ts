import fc from 'fast-check';
import { clearSharedCaches, LruCache } from '../../lib/lru-cache';

describe('a bounded cache', () => {
	it('evicts the least recently used entry', () => {
		const memory = new LruCache<number>({ maxEntries: 2 });
		memory.set('a', 1);
		memory.set('b', 2);
		expect(memory.get('a')).toBe(1);
		memory.set('c', 3);
		expect(['a', 'b', 'c'].map((key) => memory.get(key))).toEqual([1, undefined, 3]);
	});

	it('evicts expired entries', () => {
		jest.useFakeTimers();
		try {
			const memory = new LruCache<number>({ ttlMs: 1_000 });
			memory.set('a', 1);
			jest.advanceTimersByTime(999);
			expect(memory.has('a')).toBe(true);
			jest.advanceTimersByTime(1);
			expect(memory.has('a')).toBe(false);
		} finally {
			jest.useRealTimers();
		}
	});

	it('never exceeds its limit, and keeps the newest entry', () => {
		const entries = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(12)));
		fc.assert(
			fc.property(entries, (list) => {
				const memory = new LruCache<number>({ maxEntries: 3 });
				for (const [key, value] of list) {
					memory.set(key, value);
					expect(memory.get(key)).toBe(value);
					const kept = ['a', 'b', 'c', 'd', 'e']
						.map((one) => memory.get(one))
						.filter((one) => one !== undefined);
					expect(kept.length).toBeLessThanOrEqual(3);
				}
			}),
		);
	});

	it('is cleared for tests', () => {
		const memory = new LruCache<number>();
		memory.set('a', 1);
		clearSharedCaches();
		expect(memory.has('a')).toBe(false);
	});
});
