import {
	asArray,
	isNonEmpty,
	asNonEmptyString,
	asRecord,
	asRecords,
} from '../../../lib/values/records';
import { ANY_NUMBER, asFiniteNumber, formatRange, isInRange } from '../../../lib/values/numbers';

describe('values from a server', () => {
	test('null, empty, missing and values of another type are undefined or empty', () => {
		for (const none of [null, undefined, '', 5, {}]) expect(asNonEmptyString(none)).toBeUndefined();
		for (const none of [null, undefined, '5', NaN, Infinity])
			expect(asFiniteNumber(none)).toBeUndefined();
		expect([asNonEmptyString('a'), asFiniteNumber(0)]).toEqual(['a', 0]);
		expect(asArray({ length: 1 })).toEqual([]);
		expect(asRecords([{ a: 1 }, null, 'x', [2]])).toEqual([{ a: 1 }]);
		expect(asRecord([1])).toEqual({});
	});

	test('isNonEmpty', () => {
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

test.each([
	[[-Infinity, Infinity], 'a number'],
	[[0, Infinity], 'a number from 0'],
	[[0, 1], 'a number from 0 to 1'],
	[[-Infinity, 1], 'a number up to 1'],
] as const)('%j is "%s"', (range, words) => {
	expect(formatRange(range)).toBe(words);
});

test.each([
	[[0, 1], 0, true],
	[[0, 1], 1, true],
	[[0, 1], 1.01, false],
	[[0, Infinity], -0.1, false],
	[[0, Infinity], Infinity, false],
	[ANY_NUMBER, -1e300, true],
	[ANY_NUMBER, NaN, false],
] as const)('a range of %j holds %d: %s', (range, value, held) => {
	expect(isInRange(value, range)).toBe(held);
});
