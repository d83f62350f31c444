import fc from 'fast-check';

import {
	asList,
	finiteNumber,
	isFilled,
	nonEmptyText,
	recordOf,
	recordsIn,
	shortened,
	booleanOf,
	words,
} from '../../lib/values';

describe('booleanOf', () => {
	test.each([true, 1, 'true', ' TRUE\n', '1'])('%j is on', (value) => {
		expect(booleanOf(value)).toBe(true);
	});

	test.each([false, 0, 'false', 'False ', '0'])('%j is off', (value) => {
		expect(booleanOf(value)).toBe(false);
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
	])('%j says neither', (value) => {
		expect(booleanOf(value)).toBeUndefined();
	});
});

describe('words', () => {
	test('any JSON value has some, and none of them throws', () => {
		fc.assert(fc.property(fc.jsonValue(), (value) => expect(typeof words(value)).toBe('string')));
		expect([words({ toString: 1 }), words([1]), words(null), words('a')]).toEqual([
			'{"toString":1}',
			'[1]',
			'null',
			'a',
		]);
	});
});

describe('what a server sent, whatever its type', () => {
	test('null, empty and absent are the same; another type is as good as nothing', () => {
		for (const none of [null, undefined, '', 5, {}]) expect(nonEmptyText(none)).toBeUndefined();
		for (const none of [null, undefined, '5', NaN, Infinity])
			expect(finiteNumber(none)).toBeUndefined();
		expect([nonEmptyText('a'), finiteNumber(0)]).toEqual(['a', 0]);
		expect(asList({ length: 1 })).toEqual([]);
		expect(recordsIn([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
		expect(recordOf([1])).toEqual({});
	});

	test('what is filled', () => {
		expect([0, false, 'x', [0], { a: null }].map(isFilled)).toEqual([true, true, true, true, true]);
		expect([null, undefined, '', [], {}].map(isFilled)).toEqual([
			false,
			false,
			false,
			false,
			false,
		]);
	});
});

describe('shortened', () => {
	test('a text is cut between characters', () => {
		expect(shortened('abc', 3)).toBe('abc');
		expect(shortened('ab😀😀', 3)).toBe('ab…');
		expect(shortened('😀😀😀', 2)).toBe('😀…');
		expect(shortened('😀😀😀', 3)).toBe('😀😀😀');
	});

	test('it has at most as many characters, and is whole where it has no more', () => {
		fc.assert(
			fc.property(
				fc.string({ unit: 'grapheme' }),
				fc.integer({ min: 1, max: 20 }),
				(text, most) => {
					const whole = [...text];
					expect(shortened(text, most)).toBe(
						whole.length <= most ? text : `${whole.slice(0, most - 1).join('')}…`,
					);
				},
			),
		);
	});
});
