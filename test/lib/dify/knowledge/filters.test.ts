import {
	compileFilter,
	OPERATORS,
	toFilterNumber,
	toUnixSeconds,
} from '../../../../lib/dify/knowledge/filters';
import type { Operator } from '../../../../lib/dify/knowledge/filters';

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
	['≥', '5', [5, 6], [4, 'x', undefined]],
	['≤', 5, [5, 4], [6, 'x', undefined]],
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
			expect(() => matches(operator, value, 'x')).toThrow(
				`The metadata filter "x" has no value for the operator "${OPERATORS[operator].label}"`,
			);
	},
);

test('rejects a list of blanks, a condition without a field, and invalid times and numbers', () => {
	expect(() => matches('in', ' , ', 'x')).toThrow('has no value');
	expect(() => matches('after', 'soon', 'x')).toThrow(
		'The operator "After" of the metadata filter "x" requires a date, but the value is soon',
	);
	expect(() => matches('>', 'many', 'x')).toThrow(
		'The operator "Greater Than" of the metadata filter "x" requires a number or a date, but the value is many',
	);
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

describe('an operator that does not fit the type of its field', () => {
	const check = (type: string, operator: Operator, value: unknown) => () => {
		const conditions = [{ field: 'x', operator, value }];
		compileFilter({ logic: 'and', conditions }).assertFits([{ id: '1', name: 'x', type }]);
	};

	test.each<[string, Operator, unknown]>([
		['string', 'after', '2026-01-01'],
		['string', 'before', 1],
		['string', '=', 5],
		['string', '≥', '5'],
		['number', 'is', 'many'],
		['number', 'in', 'one, 2'],
		['time', 'is', '2026-01-01'],
		['time', 'is not', 'today'],
	])('%s %s %j is explained', (type, operator, value) => {
		const label = { string: 'text', number: 'a number', time: 'a time' }[type]!;
		expect(check(type, operator, value)).toThrow(
			`The metadata field "x" is ${label}, so Dify cannot compare it`,
		);
	});

	test.each<[string, Operator, unknown]>([
		['string', 'is', '5'],
		['string', 'in', 'a, b'],
		['string', 'not empty', undefined],
		['number', '>', '5'],
		['number', 'is', '5'],
		['number', 'contains', '20'],
		['number', 'not in', '1, 2'],
		['time', 'after', '2026-01-01'],
		['time', '=', 1_767_312_000],
		['time', 'empty', undefined],
		['new type', 'after', 1],
	])('%s %s %j fits', (type, operator, value) => {
		expect(check(type, operator, value)).not.toThrow();
	});

	test('the suggestion lists the other operators, and an unknown field is not checked', () => {
		const getSuggestion = (type: string, operator: Operator, value: unknown) => {
			try {
				check(type, operator, value)();
			} catch (error) {
				return (error as { suggestion: string }).suggestion;
			}
			return undefined;
		};
		expect(getSuggestion('string', 'after', 1)).toBe(
			'Use one of: Contains, Does Not Contain, Empty, Ends With, In, Is, Is Not, Not Empty, Not In, Starts With. Dify cannot change the type of a field.',
		);
		expect(getSuggestion('time', 'is', 'x')).toMatch(/^Use one of: After, Before, Empty, Equals/);
		const conditions = [{ field: 'y', operator: 'after' as const, value: 1 }];
		const filter = compileFilter({ logic: 'and', conditions });
		for (const fields of [undefined, null, [], [{ name: 'x', type: 'string' }]])
			expect(() => filter.assertFits(fields)).not.toThrow();
	});
});

test.each([
	{ value: 'x'.repeat(200), shown: 'x'.repeat(100) },
	{ value: { a: 1 }, shown: '{"a":1}' },
	{ value: true, shown: 'true' },
])('a text instead of a number is named: $shown', ({ value, shown }) => {
	expect(toFilterNumber('7', 'The value')).toBe(7);
	expect(() => toFilterNumber(value, 'The value')).toThrow(
		new RegExp(`^The value requires a number, but the value is ${shown}$`),
	);
});
