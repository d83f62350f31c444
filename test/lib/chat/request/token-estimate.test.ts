import { estimateTokens } from '../../../../lib/chat/request/token-estimate';

describe('the estimate of tokens', () => {
	it.each([
		['', 0],
		['Hello, how are you today?', 7],
		['今天天气很好', 6],
		['Qwen 通义', 4],
	])('%j: about %i', (text, tokens) => {
		expect(estimateTokens(text)).toBe(tokens);
	});

	it('costs no more than the text is long', () => {
		expect(estimateTokens('a'.repeat(4_000_000))).toBe(1_000_000);
	});
});
