import {
	compileFilter,
	toUnixSeconds,
	type Operator,
} from '../../../../lib/dify/knowledge/filters';

const matches = (operator: Operator, value: unknown, actual: unknown) =>
	compileFilter({ logic: 'and', conditions: [{ field: 'x', operator, value }] }).matches(
		actual === undefined ? {} : { x: actual },
	);

/** Operator, filter value, matching values, other values. */
const CASES: Array<[Operator, unknown, unknown[], unknown[]]> = [
	['is', 'Ann', ['Ann'], ['ann', 'Anna', '', undefined, null]],
	['is not', 'Ann', ['Bob'], ['Ann', undefined]],
	['contains', 'nn', ['Ann', 'Anna'], ['Bob', undefined]],
	['not contains', 'nn', ['Bob'], ['Ann', undefined]],
	['start with', 'A', ['Ann'], ['Bob A', undefined]],
	['end with', 'b', ['Bob'], ['Bobby', undefined]],
	['in', 'Ann, Bob', ['Ann', 'Bob'], ['Ann, Bob', undefined]],
	['not in', ['Ann'], ['Bob'], ['Ann', undefined]],
	['empty', undefined, [undefined, null, '', []], ['Ann', 0]],
	['not empty', undefined, ['Ann', 0], [undefined, '']],
	['=', 5, [5, '5', 5.0], [6, 'five', undefined]],
	['≠', 5, [6], [5, undefined]],
	['>', 5, [6], [5, 4, 'x', undefined]],
	['<', 5, [4], [5, 'x', undefined]],
	['≥', '5', [5, 6], [4]],
	['≤', 5, [5, 4], [6]],
	['after', '2026-01-01', [1_767_312_000], [1_700_000_000, undefined]],
	['before', 1_767_312_000_000, [1_700_000_000], [1_800_000_000]],
];

test.each(CASES)(
	'%s %s matches the same values as in Dify',
	(operator, value, matchingValues, otherValues) => {
		for (const actual of matchingValues)
			expect([actual, matches(operator, value, actual)]).toEqual([actual, true]);
		for (const actual of otherValues)
			expect([actual, matches(operator, value, actual)]).toEqual([actual, false]);
	},
);

test('all conditions or one of them must match', () => {
	const conditions = [
		{ field: 'a', operator: 'is', value: 'x' },
		{ field: 'b', operator: 'is', value: 'y' },
	] as const;
	const record = { a: 'x', b: 'z' };
	expect(compileFilter({ logic: 'and', conditions }).matches(record)).toBe(false);
	expect(compileFilter({ logic: 'or', conditions }).matches(record)).toBe(true);
	// Inherited properties are not values.
	const actual = [{ field: 'constructor', operator: 'not empty' }] as const;
	expect(compileFilter({ logic: 'and', conditions: actual }).matches({})).toBe(false);
});

test.each(['is', 'in', '>', 'after'] as const)(
	'%s without a value is rejected, since Dify would search everywhere',
	(operator) => {
		for (const value of ['', undefined, null, []])
			expect(() => matches(operator, value, 'x')).toThrow('has no value');
	},
);

test('rejects a list of blanks, a condition without a field, and invalid times and numbers', () => {
	expect(() => matches('in', ' , ', 'x')).toThrow('has no value');
	expect(() => matches('after', 'soon', 'x')).toThrow(
		'"x" after requires a date, but the value is soon',
	);
	expect(() => matches('>', 'many', 'x')).toThrow('"x" > requires a date, but the value is many');
	const conditions = [{ field: '', operator: 'is' as const, value: 'x' }];
	expect(() => compileFilter({ logic: 'and', conditions })).toThrow('has no field name');
});

test('seconds, milliseconds, dates and n8n dates are converted to Unix seconds', () => {
	const luxon = { toISO: () => '', toString: () => '2026-01-31T12:00:00Z' };
	for (const value of [
		1_769_860_800,
		'1769860800',
		1_769_860_800_000,
		'2026-01-31T12:00:00Z',
		new Date('2026-01-31T12:00:00Z'),
		luxon,
	])
		expect(toUnixSeconds(value, 'x')).toBe(1_769_860_800);
});
