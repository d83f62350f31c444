/** Metadata filters: each operator with values of each kind, on fields of each type, and the records that match. */
import { compileFilter, OPERATORS, toUnixSeconds } from '../../../../lib/dify/knowledge/filters';
import type { Operator } from '../../../../lib/dify/knowledge/filters';
import { asServerErrorOrThrow } from '../../../../lib/errors/server-error';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine, getOutcome } from '../../../support/approved/outcome';
import path from 'node:path';

const operators = Object.keys(OPERATORS) as Operator[];
const VALUES = [
	'Lima',
	'im',
	'7',
	7,
	'2026-01-31',
	'a, Lima ,',
	['Lima', ''],
	' ',
	'',
	null,
	'1e999',
];
const ACTUAL = ['Lima', 'L', 7, '7', 8, 6.5, 1_769_817_600, '', null, undefined, 0, false];
const TYPES = ['string', 'number', 'time', 'other', undefined];

test('each operator with each value: what is sent, which records match, and on which fields it may be used', () => {
	const rows = combine({ operator: operators, value: VALUES }).map(({ operator, value }) => ({
		input: `${operator} ${JSON.stringify(value)}`,
		outcome: getOutcome(() => {
			const conditions = [{ field: 'city', operator, value }];
			const { body, matches, assertFits } = compileFilter({ logic: 'and', conditions });
			const matching = ACTUAL.filter((city) => matches({ city }));
			const fitting = TYPES.filter(
				(type) => getOutcome(() => assertFits([{ name: 'city', type }])) === undefined,
			);
			const [sent] = body.conditions;
			return `${JSON.stringify(sent!.value)}; matches ${JSON.stringify(matching)}; fits ${fitting.join()}`;
		}),
	}));
	expectApproved(
		path.join(__dirname, 'filters.any-values.approved.txt'),
		rows,
		'A filter finds what its operator says, and an empty one finds nothing',
	);
});

test('two conditions, the errors of an operator on a field, and times', () => {
	const conditions = [
		{ field: 'city', operator: 'is', value: 'Lima' },
		{ field: 'year', operator: '>', value: 7 },
	] as const;
	const records = [{ city: 'Lima', year: 8 }, { city: 'Lima', year: 7 }, { year: 8 }, {}];
	const logic = (['and', 'or'] as const).map((name) => ({
		input: `Lima ${name} > 7`,
		outcome: records.map((record) => compileFilter({ logic: name, conditions }).matches(record)),
	}));
	const misfits = combine({ operator: ['=', 'is', 'contains', 'after'], type: TYPES }).map(
		({ operator, type }) => ({
			input: `${operator} on a field of the type ${type}`,
			outcome: getOutcome(() => {
				const wrong = [{ field: 'city', operator: operator as Operator, value: '2026-01-31' }];
				compileFilter({ logic: 'or', conditions: wrong }).assertFits([{ name: 'city', type }]);
			}),
		}),
	);
	const nameless = {
		input: 'no field',
		outcome: getOutcome(() =>
			compileFilter({ logic: 'or', conditions: [{ field: '', operator: 'is', value: 'x' }] }),
		),
	};
	const dates = [
		...['2026-01-31', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00+02:00', '1769817600'],
		...[1_769_817_600, 1_769_817_600_999, 99_999_999_999, 1e11, -5, 0, '', 'soon', true, {}],
		...[
			new Date(Date.UTC(2026, 0, 31)),
			{ toISO: () => '', toString: () => '2026-01-31T00:00:00Z' },
		],
	].map((value) => ({
		input: `time ${JSON.stringify(value)} ${typeof value} ${String(value)}`,
		outcome: getOutcome(() => toUnixSeconds(value, 'The time')),
	}));
	expectApproved(
		path.join(__dirname, 'filters.any-values.times.approved.txt'),
		[...logic, ...misfits, nameless, ...dates],
		'A condition that a field cannot have is refused, and times are read in their zone',
	);
});

test('an operator that a field cannot have is refused with those that it can', () => {
	const assertFits = (operator: Operator, type: string) => {
		const conditions = [{ field: 'city', operator, value: '2026-01-31' }];
		compileFilter({ logic: 'and', conditions }).assertFits([{ name: 'city', type }]);
	};
	const refusals = combine({ operator: operators, type: ['string', 'number', 'time'] }).flatMap(
		({ operator, type }) => {
			try {
				assertFits(operator, type);
				return [];
			} catch (error) {
				const { suggestion } = asServerErrorOrThrow(error);
				return [{ operator, type, labels: /: (.*?)\. /.exec(suggestion)?.[1]?.split(', ') ?? [] }];
			}
		},
	);
	expect(refusals.length).toBeGreaterThan(5);
	for (const { operator, type, labels } of refusals) {
		const named = operators.filter((each) => labels.includes(OPERATORS[each].label));
		expect(labels).toHaveLength(named.length);
		expect(named).toEqual(expect.arrayContaining(['empty', 'not empty']));
		expect({ type, named }).not.toEqual({
			type,
			named: expect.arrayContaining([operator]) as unknown,
		});
		for (const each of named) expect(() => assertFits(each, type)).not.toThrow();
	}
});
