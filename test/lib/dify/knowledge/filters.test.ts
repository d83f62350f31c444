import {
	compileFilter,
	toUnixSeconds,
	type Operator,
} from '../../../../lib/dify/knowledge/filters';

const fits = (operator: Operator, value: unknown, own: unknown) =>
	compileFilter({ logic: 'and', conditions: [{ field: 'x', operator, value }] }).matches(
		own === undefined ? {} : { x: own },
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

test.each(CASES)('%s %s, as Dify compares', (operator, value, fitting, others) => {
	for (const own of fitting) expect([own, fits(operator, value, own)]).toEqual([own, true]);
	for (const own of others) expect([own, fits(operator, value, own)]).toEqual([own, false]);
});

test('all or one of the conditions', () => {
	const conditions = [
		{ field: 'a', operator: 'is', value: 'x' },
		{ field: 'b', operator: 'is', value: 'y' },
	] as const;
	const record = { a: 'x', b: 'z' };
	expect(compileFilter({ logic: 'and', conditions }).matches(record)).toBe(false);
	expect(compileFilter({ logic: 'or', conditions }).matches(record)).toBe(true);
	// Inherited properties are not values.
	const own = [{ field: 'constructor', operator: 'not empty' }] as const;
	expect(compileFilter({ logic: 'and', conditions: own }).matches({})).toBe(false);
});

test.each(['is', 'in', '>', 'after'] as const)(
	'%s without a value is rejected, since Dify would search everywhere',
	(operator) => {
		for (const value of ['', undefined, null, []])
			expect(() => fits(operator, value, 'x')).toThrow('has no value');
	},
);

test('rejects a list of blanks, a condition without a field, and invalid times and numbers', () => {
	expect(() => fits('in', ' , ', 'x')).toThrow('has no value');
	expect(() => fits('after', 'soon', 'x')).toThrow(
		'"x" after requires a date, but the value is soon',
	);
	expect(() => fits('>', 'many', 'x')).toThrow('"x" > requires a date, but the value is many');
	const conditions = [{ field: '', operator: 'is' as const, value: 'x' }];
	expect(() => compileFilter({ logic: 'and', conditions })).toThrow('has no field name');
});

test('times: seconds, milliseconds, dates, and dates of n8n', () => {
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
