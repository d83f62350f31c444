import * as fc from 'fast-check';
import { findTokenCounts } from '../../../lib/errors/token-counts';

test.each([
	['You passed 27905 input tokens, and the context length is only 32000 tokens', 27905, 32000],
	['Requested tokens (5021) exceed context window of 4096', 5021, 4096],
	['prompt is too long: 210,000 tokens > 200,000 maximum', 210_000, 200_000],
	['prompt too long; exceeded max context length by 100918 tokens', undefined, undefined],
	['Prompt length (5000) exceeds maximum input length (4096)', 5000, 4096],
	['Number of tokens (757) exceeded maximum context length (512).', 757, 512],
	['context length exceeded: 9000 > 8192', 9000, 8192],
	['the token count is 9000, more than the maximum sequence length of 8192', 9000, 8192],
	['输入过长：9000 tokens 超过最大上下文 8192 tokens', 9000, 8192],
	['上下文长度超过限制：输入 9000 tokens，最大 8192 tokens', 9000, 8192],
	['the prompt has 0 tokens, the limit is 8192', undefined, 8192],
	['the prompt has 9000 tokens, the limit is 1000000001', 9000, undefined],
	['the prompt has 9000 tokens, the limit is 1000000000', 9000, 1_000_000_000],
	['llama3.2 at 10.0.0.5: the prompt has 9000 tokens, the limit is 8192', 9000, 8192],
])('the numbers of: %s', (message, promptTokens, contextTokens) => {
	expect(findTokenCounts(message)).toEqual(
		JSON.parse(JSON.stringify({ promptTokens, contextTokens })),
	);
});

test('beside the tokens of a response, what was requested is the sum of both', () => {
	const limit = "This model's maximum context length is 4096 tokens.";
	const sum = 'However, you requested 5000 tokens';
	expect(findTokenCounts(`${limit} ${sum}.`)).toEqual({ promptTokens: 5000, contextTokens: 4096 });
	expect(findTokenCounts(`${limit} ${sum} (1000 in the completion).`)).toEqual({
		contextTokens: 4096,
		responseTokens: 1000,
	});
});

const WRITTEN: ReadonlyArray<(count: number) => string> = [
	String,
	(count) => count.toLocaleString('en-US'),
];

test.each([
	'You passed P input tokens, and the context length is only L tokens',
	'prompt is too long: P tokens > L maximum',
	'context length exceeded: P > L',
	'the prompt has P tokens, the limit is L.',
])('numbers of any size, with and without commas: %s', (sentence) => {
	const count = fc.integer({ min: 1, max: 1_000_000_000 });
	fc.assert(
		fc.property(count, count, fc.constantFrom(...WRITTEN), (promptTokens, contextTokens, write) => {
			const message = sentence.replace('P', write(promptTokens)).replace('L', write(contextTokens));
			const counts = findTokenCounts(message);
			expect({ message, ...counts }).toEqual({ message, promptTokens, contextTokens });
		}),
	);
});
