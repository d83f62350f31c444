/** Estimated tokens of each block of a content. */
import { estimateContentTokens } from '../../../lib/langchain/content-tokens';
import { estimateTokens } from '../../../lib/values/tokens';

const TEXT = 'What is the capital of Japan? '.repeat(10);

test.each([
	{ title: 'a text', block: TEXT, tokens: estimateTokens(TEXT) },
	{ title: 'a block of text', block: { type: 'text', text: TEXT }, tokens: estimateTokens(TEXT) },
	{ title: 'an image', block: { type: 'image_url', image_url: { url: TEXT } }, tokens: 1000 },
	{ title: 'a file without a type', block: { data: TEXT }, tokens: 1000 },
	{
		title: 'a call',
		block: { type: 'tool_use', input: TEXT },
		tokens: estimateTokens(JSON.stringify({ type: 'tool_use', input: TEXT })),
	},
	{ title: 'null', block: null, tokens: 0 },
	{ title: 'a number', block: 7, tokens: 0 },
	{ title: 'undefined', block: undefined, tokens: 0 },
])('$title', ({ block, tokens }) => {
	expect(estimateContentTokens([block])).toBe(tokens);
	expect(estimateContentTokens([block, 'word', block])).toBe(2 * tokens + estimateTokens('word'));
});

test('no block', () => {
	expect(estimateContentTokens([])).toBe(0);
});
