import { cachedShare } from '../../../../lib/chat/answer/prompt-cache';

const timings = (cached: number, read: number) => ({
	timings: { cache_n: cached, prompt_n: read },
});

describe('the share of the prompt that came from the cache', () => {
	it.each([
		[timings(1736, 29), 0.98],
		[timings(0, 1997), 0],
		[
			{ usage: { promptTokens: 100, completionTokens: 1, totalTokens: 101, cachedTokens: 40 } },
			0.4,
		],
	])('%j', (answer, share) => {
		expect(cachedShare(answer)).toBeCloseTo(share, 2);
	});

	it('is not known where the server does not tell', () => {
		expect(cachedShare({})).toBeUndefined();
		expect(cachedShare({ timings: { prompt_n: 50, load_ms: 20 } })).toBeUndefined();
		expect(
			cachedShare({
				usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0, cachedTokens: 0 },
			}),
		).toBeUndefined();
	});
});
