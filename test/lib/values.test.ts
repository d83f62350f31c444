import fc from 'fast-check';

import {
	asArray,
	asFiniteNumber,
	isNonEmpty,
	asNonEmptyString,
	asRecord,
	asRecords,
	truncate,
	parseBoolean,
	toText,
} from '../../lib/values';

describe('booleanOf', () => {
	test.each([true, 1, 'true', ' TRUE\n', '1'])('%j is on', (value) => {
		expect(parseBoolean(value)).toBe(true);
	});

	test.each([false, 0, 'false', 'False ', '0'])('%j is off', (value) => {
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
	])('%j says neither', (value) => {
		expect(parseBoolean(value)).toBeUndefined();
	});
});

describe('words', () => {
	test('any JSON value has some, and none of them throws', () => {
		fc.assert(fc.property(fc.jsonValue(), (value) => expect(typeof toText(value)).toBe('string')));
		expect([toText({ toString: 1 }), toText([1]), toText(null), toText('a')]).toEqual([
			'{"toString":1}',
			'[1]',
			'null',
			'a',
		]);
	});
});

describe('what a server sent, whatever its type', () => {
	test('null, empty and absent are the same; another type is as good as nothing', () => {
		for (const none of [null, undefined, '', 5, {}]) expect(asNonEmptyString(none)).toBeUndefined();
		for (const none of [null, undefined, '5', NaN, Infinity])
			expect(asFiniteNumber(none)).toBeUndefined();
		expect([asNonEmptyString('a'), asFiniteNumber(0)]).toEqual(['a', 0]);
		expect(asArray({ length: 1 })).toEqual([]);
		expect(asRecords([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
		expect(asRecord([1])).toEqual({});
	});

	test('what is filled', () => {
		expect([0, false, 'x', [0], { a: null }].map(isNonEmpty)).toEqual([
			true,
			true,
			true,
			true,
			true,
		]);
		expect([null, undefined, '', [], {}].map(isNonEmpty)).toEqual([
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
		expect(truncate('abc', 3)).toBe('abc');
		expect(truncate('ab😀😀', 3)).toBe('ab…');
		expect(truncate('😀😀😀', 2)).toBe('😀…');
		expect(truncate('😀😀😀', 3)).toBe('😀😀😀');
	});

	test('it has at most as many characters, and is whole where it has no more', () => {
		fc.assert(
			fc.property(
				fc.string({ unit: 'grapheme' }),
				fc.integer({ min: 1, max: 20 }),
				(text, most) => {
					const whole = [...text];
					expect(truncate(text, most)).toBe(
						whole.length <= most ? text : `${whole.slice(0, most - 1).join('')}…`,
					);
				},
			),
		);
	});
});
