import fc from 'fast-check';
import { parseJson } from '../../../lib/values/json';
import { examples } from '../../support/jest/properties';

describe('nested JSON', () => {
	const nested = (depth: number, inside: string) => '['.repeat(depth) + inside + ']'.repeat(depth);

	test('is parsed to a depth of 500, regardless of brackets in strings', () => {
		const texts = fc.string({ unit: fc.constantFrom(...'[]{}"\\ax') });
		fc.assert(
			fc.property(fc.integer({ min: 480, max: 520 }), texts, (depth, text) => {
				const json = nested(depth, JSON.stringify(text + '['.repeat(600)));
				expect(parseJson(json) !== undefined).toBe(depth <= 500);
			}),
			examples(60),
		);
	});

	test('millions of lists are not parsed', () => {
		expect(parseJson(nested(2_000_000, ''))).toBeUndefined();
		expect(parseJson('['.repeat(5_000_000))).toBeUndefined();
	});
});
