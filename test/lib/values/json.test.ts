import fc from 'fast-check';
import { runAtOnce } from '../../../lib/http/steps';
import { parseJson, parseJsonInSteps } from '../../../lib/values/json';
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

test('JSON in steps is the same, and a long one has a step for each megabyte', () => {
	const texts = fc.string({ unit: fc.constantFrom(...'[]{}",:1') });
	fc.assert(
		fc.property(fc.oneof(fc.json(), texts), fc.nat(1_000), (json, blanks) => {
			const source = json + ' '.repeat(blanks);
			expect(runAtOnce(parseJsonInSteps(source))).toEqual(parseJson(source));
		}),
	);
	const long = JSON.stringify(['x'.repeat(3 * 1024 * 1024)]);
	expect([...parseJsonInSteps(long)]).toHaveLength(4);
	expect([
		...parseJsonInSteps(`{"a":"${'\\\\'.repeat(1024 * 1024)}","b":[`.concat(long, ']}')),
	]).toHaveLength(6);
});
