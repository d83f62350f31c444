import { ANY_NUMBER, isInRange, formatRange } from '../../lib/values';

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

test.each([
	[[-Infinity, Infinity], 'a number'],
	[[0, Infinity], 'a number from 0'],
	[[0, 1], 'a number from 0 to 1'],
	[[-Infinity, 1], 'a number up to 1'],
] as const)('%j is "%s"', (range, words) => {
	expect(formatRange(range)).toBe(words);
});
