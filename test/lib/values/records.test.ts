/** What each reader of unknown values makes of any value. */
import * as records from '../../../lib/values/records';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import path from 'node:path';

const VALUES = [
	undefined,
	null,
	'',
	' ',
	'a',
	0,
	7,
	NaN,
	true,
	false,
	[],
	[0],
	[{}],
	[{ a: 1 }, 2],
	{},
	{ a: 0 },
	new Map(),
];
const READERS = [
	'isRecord',
	'asString',
	'asNonEmptyString',
	'asArray',
	'asRecords',
	'asRecord',
	'isUnset',
	'isNonEmpty',
] as const;

/** A list under so many objects. */
const nest = (depth: number, names: readonly string[]): unknown =>
	depth === 0
		? ['found']
		: { other: ['wrong'], [names[depth % names.length]!]: nest(depth - 1, names) };

test('each reader with each value', () => {
	const read = combine({ reader: READERS, value: VALUES.map((_value, at) => at) }).map(
		({ reader, value }) => ({
			input: `${reader} of ${JSON.stringify(VALUES[value])} ${value}`,
			outcome: JSON.stringify(records[reader](VALUES[value])) ?? 'undefined',
		}),
	);
	const fields = { a: undefined, b: null, c: '', d: 0, e: false, f: [], g: {}, h: 'x' };
	const lists = combine({ depth: [0, 1, 2, 3, 4, 5], given: [undefined, 1, 2] }).map(
		({ depth, given }) => ({
			input: `a list under ${depth} objects, at most ${given}`,
			outcome:
				records.findList(nest(depth, ['data', 'results']), ['data', 'results'], given) ?? 'none',
		}),
	);
	const rows = [
		...read,
		{ input: 'omitEmpty', outcome: records.omitEmpty(fields) },
		{ input: 'omitUndefined', outcome: records.omitUndefined(fields) },
		{ input: 'mapValues', outcome: records.mapValues({ a: 1, b: 'x' }, (value) => [value]) },
		...lists,
		{
			input: 'the first name with a list',
			outcome: records.findList({ b: ['b'], a: ['a'] }, ['a', 'b']),
		},
		{ input: 'the name of no list', outcome: records.findList({ a: 'x', b: ['b'] }, ['a', 'b']) },
	];
	expectApproved(
		path.join(__dirname, 'records.approved.txt'),
		rows,
		'A reader takes only its own kind of value',
	);
});
