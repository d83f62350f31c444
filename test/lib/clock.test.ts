import { LruCache } from '../../lib/lru-cache';

afterEach(() => jest.restoreAllMocks());

it.each([-86_400_000, 86_400_000])(
	'a system clock that jumps by %d ms does not affect caches',
	(jump) => {
		const memory = new LruCache<number>(60_000);
		memory.set('a', 1);
		const now = Date.now();
		jest.spyOn(Date, 'now').mockReturnValue(now + jump);
		expect(memory.get('a')).toBe(1);
	},
);
