import { toSample } from '../../../lib/health/speed-sample';
import type { Times } from '../../../lib/health/speed-sample';
import type { Usage } from '../../../lib/chat/chat-result';

const TIMES: Times = { firstMs: 500, lastMs: 2_500, totalMs: 3_000 };
const USAGE: Usage = { promptTokens: 100, completionTokens: 41, totalTokens: 141 };

describe('by the clock', () => {
	it('the prompt is processed until the first token, the others follow until the last', () => {
		expect(toSample({ usage: USAGE }, 10, TIMES)).toEqual({
			firstTokenMs: 500,
			promptTokensPerSecond: 200,
			generatedTokens: 41,
			tokensPerSecond: 20,
		});
	});

	it('without counts, each delta is a token, and the length of the prompt is not known', () => {
		expect(toSample({}, 11, TIMES)).toEqual({
			firstTokenMs: 500,
			generatedTokens: 11,
			tokensPerSecond: 5,
		});
	});

	it('a count of 0 is none', () => {
		const usage = { ...USAGE, completionTokens: 0 };
		expect(toSample({ usage }, 11, TIMES).generatedTokens).toBe(11);
	});

	it('two deltas at the same millisecond are no division by 0', () => {
		const times = { firstMs: 10, lastMs: 10, totalMs: 40 };
		expect(toSample({ usage: USAGE }, 2, times).tokensPerSecond).toBe(40_000);
	});
});

describe('a response that arrived at once: only a minimum is known', () => {
	const minimum = { generatedTokens: 41, tokensPerSecond: 13.7 };

	it('in one delta', () => {
		expect(toSample({ usage: USAGE }, 1, TIMES)).toEqual(minimum);
	});

	it.each([49, 50, 51])('a response of %d ms, of which the deltas take none', (totalMs) => {
		const times = { firstMs: totalMs, lastMs: totalMs, totalMs };
		expect(Object.hasOwn(toSample({ usage: USAGE }, 9, times), 'firstTokenMs')).toBe(totalMs < 50);
	});

	it.each([149, 150, 151])('deltas within %d ms of 3 s', (spreadMs) => {
		const times = { firstMs: 2_000, lastMs: 2_000 + spreadMs, totalMs: 3_000 };
		const { firstTokenMs } = toSample({ usage: USAGE }, 9, times);
		expect(firstTokenMs).toBe(spreadMs < 150 ? undefined : 2_000);
	});
});

describe("by the server's timings", () => {
	const timings = { predicted_n: 41, predicted_per_second: 33.33, prompt_per_second: 444.44 };

	it('they count, also if the response arrived at once', () => {
		const reported = { promptTokensPerSecond: 444.44, tokensPerSecond: 33.3 };
		expect(toSample({ usage: USAGE, timings }, 10, TIMES)).toMatchObject(reported);
		expect(toSample({ usage: USAGE, timings }, 1, TIMES)).toMatchObject(reported);
	});

	it('0 says nothing, and neither does the speed of a single token', () => {
		const measured = toSample({ usage: USAGE }, 10, TIMES);
		const none = { ...timings, predicted_per_second: 0, prompt_per_second: 0 };
		expect(toSample({ usage: USAGE, timings: none }, 10, TIMES)).toEqual(measured);
		const single = { predicted_n: 1, predicted_per_second: 1e6 };
		expect(toSample({ usage: USAGE, timings: single }, 10, TIMES)).toEqual(measured);
	});
});
