import fc from 'fast-check';
import { estimateTokens } from '../../../lib/values/tokens';
import { examples } from '../../support/jest/properties';

test('an estimate is a non-negative integer and grows with the text', () => {
	expect([estimateTokens(''), estimateTokens('你好，世界'), estimateTokens('four')]).toEqual([
		0, 5, 1,
	]);
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
			const whole = estimateTokens(one + other);
			expect(whole).toBe(Math.max(0, Math.round(whole)));
			expect(whole).toBeLessThanOrEqual(estimateTokens(one) + estimateTokens(other));
		}),
	);
});

test.each([
	['', 0],
	['Hello, how are you today?', 7],
	['今天天气很好', 6],
	['Qwen 通义', 4],
])('the estimate of %j is about %i tokens', (text, tokens) => {
	expect(estimateTokens(text)).toBe(tokens);
});

test('the estimate of a long text is about the sum of its parts', () => {
	expect(estimateTokens('a'.repeat(4_000_000))).toBe(1_000_000);
	expect(estimateTokens('今天'.repeat(2_000_000))).toBe(4_000_000);
	const part = fc.constantFrom('今天天气很好', 'Hello, how are you? ', '한국어 ');
	fc.assert(
		fc.property(fc.array(part, { minLength: 1, maxLength: 9 }), (parts) => {
			const text = parts.join('');
			const times = Math.ceil(100_000 / text.length);
			const share = estimateTokens(text.repeat(times)) / (estimateTokens(text) * times);
			expect(share).toBeGreaterThan(0.8);
			expect(share).toBeLessThan(1.05);
		}),
		examples(50),
	);
});
