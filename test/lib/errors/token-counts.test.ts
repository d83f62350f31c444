import { findTokenCounts } from '../../../lib/errors/token-counts';

test.each([
	['You passed 27905 input tokens, and the context length is only 32000 tokens', 27905, 32000],
	['Requested tokens (5021) exceed context window of 4096', 5021, 4096],
	['prompt is too long: 210,000 tokens > 200,000 maximum', 210_000, 200_000],
	['prompt too long; exceeded max context length by 100918 tokens', undefined, undefined],
	['llama3.2 at 10.0.0.5: the prompt has 9000 tokens, the limit is 8192', 9000, 8192],
])('the numbers of: %s', (message, promptTokens, contextTokens) => {
	expect(findTokenCounts(message)).toEqual(
		JSON.parse(JSON.stringify({ promptTokens, contextTokens })),
	);
});
