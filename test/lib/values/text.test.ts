import fc from 'fast-check';
import { parseBoolean } from '../../../lib/values/text';
import { truncate, truncateMiddle, toText } from '../../../lib/values/text';

describe('parseBoolean', () => {
	test.each([true, 1, 'true', ' TRUE\n', '1'])('%j is true', (value) => {
		expect(parseBoolean(value)).toBe(true);
	});

	test.each([false, 0, 'false', 'False ', '0'])('%j is false', (value) => {
		expect(parseBoolean(value)).toBe(false);
	});

	test.each([
		'',
		' ',
		'perhaps',
		'yes',
		2,
		-1,
		NaN,
		null,
		undefined,
		{},
		[],
		[true],
		'constructor',
	])('%j is neither', (value) => {
		expect(parseBoolean(value)).toBeUndefined();
	});
});

test('toText: converts any JSON value', () => {
	fc.assert(fc.property(fc.jsonValue(), (value) => expect(typeof toText(value)).toBe('string')));
	expect([toText({ toString: 1 }), toText([1]), toText(null), toText('a')]).toEqual([
		'{"toString":1}',
		'[1]',
		'null',
		'a',
	]);
});

describe('truncate', () => {
	test('never splits a character', () => {
		expect(truncate('abc', 3)).toBe('abc');
		expect(truncate('ab😀😀', 3)).toBe('ab…');
		expect(truncate('😀😀😀', 2)).toBe('😀…');
		expect(truncate('😀😀😀', 3)).toBe('😀😀😀');
	});

	test('limits the number of characters, and does not change shorter texts', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, max) => {
				const characters = [...text];
				expect(truncate(text, max)).toBe(
					characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`,
				);
			}),
		);
	});
});

describe('truncateMiddle', () => {
	test('keeps the beginning and the end, and never splits a character', () => {
		expect(truncateMiddle('abcdef', 6)).toBe('abcdef');
		expect(truncateMiddle('abcdefghij', 6)).toBe('abc…ij');
		expect(truncateMiddle('aaaaaaa😀b', 6)).toBe('aaa…😀b');
	});

	test('limits the number of characters, and does not change shorter texts', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 20 }), (text, max) => {
				const shortened = truncateMiddle(text, max);
				const length = [...text].length;
				expect([...shortened]).toHaveLength(Math.min(length, max));
				if (length <= max) expect(shortened).toBe(text);
				expect(shortened.isWellFormed()).toBe(text.isWellFormed());
			}),
		);
	});
});
