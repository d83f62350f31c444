import { fetchOnce, LruCache } from '../../lib/lru-cache';

describe('a bounded cache', () => {
	it('evicts the least recently used of more entries than its limit', () => {
		const memory = new LruCache<number>({ ttlMs: 1_000, maxEntries: 1_000 });
		for (let at = 0; at < 1_000; at++) memory.set(String(at), at);
		expect(memory.get('0')).toBe(0);
		memory.set('new', 1);
		expect(['0', '1', '2', 'new'].map((key) => memory.get(key))).toEqual([0, undefined, 2, 1]);
	});

	it('may have a limit for the memory of its values', () => {
		const cache = new LruCache<string>({ ttlMs: 1_000, maxEntries: 9, maxBytes: 10 });
		const getKept = () => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined);
		cache.set('a', '', 4);
		cache.set('b', '', 6);
		expect(getKept()).toEqual(['a', 'b']);
		cache.set('c', '', 1);
		expect(getKept()).toEqual(['b', 'c']);
		cache.set('b', '', 2);
		cache.set('d', '', 7);
		expect(getKept()).toEqual(['b', 'c', 'd']);
		cache.delete('d');
		cache.set('a', '', 7);
		expect(getKept()).toEqual(['a', 'b', 'c']);
		cache.set('d', '', 11);
		expect(getKept()).toEqual(['a', 'b', 'c']);
		cache.set('a', '', 10);
		cache.clear();
		cache.set('b', '', 10);
		expect(getKept()).toEqual(['b']);
	});

	it('may keep a value from its last use', () => {
		jest.useFakeTimers();
		try {
			const cache = new LruCache<number>({ ttlMs: 1_000, maxEntries: 2, isRenewedByUse: true });
			cache.set('a', 1);
			for (let use = 0; use < 3; use++) {
				jest.advanceTimersByTime(999);
				expect(cache.get('a')).toBe(1);
			}
			jest.advanceTimersByTime(1_000);
			expect(cache.get('a')).toBeUndefined();
		} finally {
			jest.useRealTimers();
		}
	});

	it('evicts expired entries', () => {
		jest.useFakeTimers();
		try {
			const memory = new LruCache<number>({ ttlMs: 1_000, maxEntries: 2 });
			memory.set('a', 1);
			jest.advanceTimersByTime(999);
			expect(memory.get('a')).toBe(1);
			jest.advanceTimersByTime(1);
			expect(memory.get('a')).toBeUndefined();
		} finally {
			jest.useRealTimers();
		}
	});

	it('creates a value that is missing, and keeps it from its last use', () => {
		jest.useFakeTimers();
		try {
			const memory = new LruCache<object>({ ttlMs: 1_000, maxEntries: 2 });
			const create = jest.fn(() => ({}));
			const first = memory.use('a', create);
			jest.advanceTimersByTime(999);
			expect(memory.use('a', create)).toBe(first);
			memory.set('b', {});
			jest.advanceTimersByTime(999);
			expect(memory.use('a', create)).toBe(first);
			memory.set('c', {});
			expect(memory.get('b')).toBeUndefined();
			expect(create).toHaveBeenCalledTimes(1);
			jest.advanceTimersByTime(1_000);
			expect(memory.use('a', create)).not.toBe(first);
		} finally {
			jest.useRealTimers();
		}
	});
});

afterEach(() => jest.restoreAllMocks());

it.each([-86_400_000, 86_400_000])(
	'a system clock that jumps by %d ms does not affect caches',
	(jump) => {
		const memory = new LruCache<number>({ ttlMs: 60_000, maxEntries: 2 });
		memory.set('a', 1);
		const now = Date.now();
		jest.spyOn(Date, 'now').mockReturnValue(now + jump);
		expect(memory.get('a')).toBe(1);
	},
);

describe('one request for each key', () => {
	/** The results of calls one after another, or at once; a request fails if its row says so. */
	async function call(outcomes: boolean[], calls: number, isAtOnce: boolean) {
		const cache = new LruCache<Promise<number>>({ ttlMs: 1_000, maxEntries: 2 });
		let requests = 0;
		const fetch = async () => {
			const isFailure = outcomes[requests++] === false;
			await Promise.resolve();
			if (isFailure) throw new Error(`request ${requests} failed`);
			return requests;
		};
		const results: string[] = [];
		const ask = async () => {
			const result = await fetchOnce(cache, 'key', fetch).then(
				String,
				({ message }: Error) => message,
			);
			results.push(result);
		};
		if (isAtOnce) await Promise.all(Array.from({ length: calls }, ask));
		else for (let at = 0; at < calls; at++) await ask();
		return results;
	}

	it.each([
		{ what: 'a result is kept', outcomes: [true], isAtOnce: false, results: ['1', '1', '1'] },
		{ what: 'a result is shared', outcomes: [true], isAtOnce: true, results: ['1', '1', '1'] },
		{
			what: 'an error is shared',
			outcomes: [false],
			isAtOnce: true,
			results: ['request 1 failed', 'request 1 failed', 'request 1 failed'],
		},
		{
			what: 'an error is not kept',
			outcomes: [false, false, true],
			isAtOnce: false,
			results: ['request 1 failed', 'request 2 failed', '3'],
		},
	])('$what', async ({ outcomes, isAtOnce, results }) => {
		expect(await call(outcomes, 3, isAtOnce)).toEqual(results);
	});
});
