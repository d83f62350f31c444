import { addUsage } from '../../../lib/text/usage';

const usage = { promptTokens: 1, completionTokens: 2, totalTokens: 3 };

test('the tokens of two requests', () => {
	expect(addUsage(usage, usage)).toEqual({ promptTokens: 2, completionTokens: 4, totalTokens: 6 });
	expect(addUsage({ ...usage, cachedTokens: 1 }, { ...usage, reasoningTokens: 5 })).toEqual({
		promptTokens: 2,
		completionTokens: 4,
		totalTokens: 6,
		cachedTokens: 1,
		reasoningTokens: 5,
	});
});

test('a request that tells none counts as none', () => {
	expect([
		addUsage(undefined, usage),
		addUsage(usage, undefined),
		addUsage(undefined, undefined),
	]).toEqual([usage, usage, undefined]);
});
