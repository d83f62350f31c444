import fc from 'fast-check';

import { firstTokens, parts } from '../../../lib/embeddings/long-texts';

test('parts are the text again and never halve a character', () => {
	const text = fc.string({ unit: 'binary', minLength: 2 }).filter((one) => one.trim().length > 3);
	fc.assert(
		fc.property(text, fc.integer({ min: 2, max: 20 }), (whole, tokens) => {
			const found = parts(whole, { limit: 1, tokens });
			expect(found.join('').replace(/\s/g, '')).toBe(whole.replace(/\s/g, ''));
			expect(found.every((part) => part.isWellFormed())).toBe(true);
		}),
	);
	expect(parts('one two three four', {})).toHaveLength(2);
});

test('tokens: the closing special token stays', () => {
	expect(firstTokens([101, 1, 2, 3, 102], [1, 2, 3], 4)).toEqual([101, 1, 2, 102]);
	expect(firstTokens([101, 1, 2, 3], [1, 2, 3], 3)).toEqual([101, 1, 2]);
	expect(firstTokens([1, 2], [1, 2], 3)).toEqual([1, 2]);
});
