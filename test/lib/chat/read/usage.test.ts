/** Counts and speeds in the responses of each API. */
import type { ChatResult } from '../../../../lib/chat/chat-result';
import {
	addUsage,
	getDraftAcceptanceRate,
	getReportedSpeed,
	getTokensPerSecond,
	parseOpenAiUsage,
	parseTimings,
	usageFromTimings,
} from '../../../../lib/chat/read/usage';

const FIRST = {
	promptTokens: 100,
	completionTokens: 20,
	totalTokens: 120,
	cachedTokens: 64,
	reasoningTokens: 7,
};
const SECOND = {
	promptTokens: 130,
	completionTokens: 10,
	totalTokens: 140,
	cachedTokens: 96,
	reasoningTokens: 3,
};

test('the counts of all attempts add up', () => {
	expect(addUsage(FIRST, SECOND)).toEqual({
		promptTokens: 230,
		completionTokens: 30,
		totalTokens: 260,
		cachedTokens: 160,
		reasoningTokens: 10,
	});
	for (const known of [addUsage(FIRST, undefined), addUsage(undefined, FIRST)])
		expect(known).toEqual(FIRST);
	expect(addUsage(undefined, undefined)).toBeUndefined();
});

test.each([
	{
		given: {
			prompt_tokens: 100,
			completion_tokens: 20,
			total_tokens: 121,
			prompt_tokens_details: { cached_tokens: 64 },
			completion_tokens_details: { reasoning_tokens: 7 },
		},
		usage: {
			promptTokens: 100,
			completionTokens: 20,
			totalTokens: 121,
			cachedTokens: 64,
			reasoningTokens: 7,
		},
	},
	{
		given: { prompt_tokens: 0, completion_tokens: 5 },
		usage: { promptTokens: 0, completionTokens: 5, totalTokens: 5 },
	},
	{
		given: { prompt_tokens: 5, completion_tokens: -1, total_tokens: 1e300 },
		usage: { promptTokens: 5, completionTokens: 0, totalTokens: 5 },
	},
	{ given: { prompt_tokens: 0, completion_tokens: 0 }, usage: undefined },
	{
		given: { prompt_tokens: '5' },
		usage: { promptTokens: 5, completionTokens: 0, totalTokens: 5 },
	},
	{
		given: {
			prompt_tokens: 96,
			completion_tokens: 111,
			prompt_tokens_details: { cached_tokens: 64 },
			reasoning_tokens: 91,
		},
		usage: {
			promptTokens: 96,
			completionTokens: 111,
			totalTokens: 207,
			cachedTokens: 64,
			reasoningTokens: 91,
		},
	},
	{
		given: {
			prompt_tokens: 120,
			completion_tokens: 7,
			prompt_cache_hit_tokens: 64,
			prompt_cache_miss_tokens: 56,
			completion_tokens_details: { reasoning_tokens: 0 },
		},
		usage: {
			promptTokens: 120,
			completionTokens: 7,
			totalTokens: 127,
			cachedTokens: 64,
			reasoningTokens: 0,
		},
	},
	{
		given: { prompt_tokens: 9, completion_tokens: 1, cached_tokens: 8 },
		usage: { promptTokens: 9, completionTokens: 1, totalTokens: 10, cachedTokens: 8 },
	},
	{ given: { prompt_tokens: '5.5' }, usage: undefined },
	{ given: null, usage: undefined },
])("OpenAI's usage $given is read as $usage", ({ given, usage }) => {
	expect(parseOpenAiUsage(given)).toEqual(usage);
});

test("llama-server's timings count cached tokens separately", () => {
	expect(usageFromTimings({ cache_n: 100, prompt_n: 20, predicted_n: 5 })).toMatchObject({
		promptTokens: 120,
		completionTokens: 5,
		totalTokens: 125,
		cachedTokens: 100,
	});
	expect(usageFromTimings({ prompt_n: 20, predicted_n: 5 })).toMatchObject({ promptTokens: 20 });
	expect(usageFromTimings({ cache_n: 100, predicted_n: 5 })).toMatchObject({ promptTokens: 0 });
	expect(usageFromTimings()).toBeUndefined();
});

test('the speed of one token is not known', () => {
	expect(getReportedSpeed({ predicted_n: 1, predicted_per_second: 1e6 })).toBeUndefined();
	expect(getReportedSpeed({ predicted_n: 2, predicted_per_second: 30 })).toBe(30);
	expect(getReportedSpeed({ predicted_per_second: 30 })).toBe(30);
	expect(getReportedSpeed(undefined)).toBeUndefined();
});

test.each([
	[{ draft_n: 3, draft_n_accepted: 2 }, 0.667],
	[{ draft_n: 3 }, 0],
	[{ draft_n: 0, draft_n_accepted: 0 }, undefined],
	[undefined, undefined],
])('accepted drafts: %j', (timings, rate) => {
	expect(getDraftAcceptanceRate(timings)).toBe(rate);
});

const RESULT: ChatResult = {
	text: 'Hi',
	reasoning: '',
	toolCalls: [],
	finishReason: 'stop',
	usage: FIRST,
	timings: undefined,
	model: 'm',
	warnings: [],
	url: 'http://server',
	firstTokenMs: 500,
	totalMs: 1500,
	logFields: {},
};

test.each<[Partial<ChatResult>, number | undefined]>([
	[{}, 19],
	[{ timings: { predicted_n: 20, predicted_per_second: 40 } }, 40],
	[{ usage: { ...FIRST, completionTokens: 2 } }, 1],
	[{ usage: { ...FIRST, completionTokens: 1 } }, undefined],
	[{ totalMs: 500 }, undefined],
	[{ usage: undefined }, undefined],
])('tokens per second after the first, with %j', (changes, speed) => {
	expect(getTokensPerSecond({ ...RESULT, ...changes })).toBe(speed);
});

test('timings are numbers that a server can have measured', () => {
	const timings = { a: 0, b: 1.5, c: Number.MAX_SAFE_INTEGER, d: -1, e: 1e17, f: 1e308, g: '1' };
	expect(parseTimings(timings)).toEqual({ a: 0, b: 1.5, c: Number.MAX_SAFE_INTEGER });
});
