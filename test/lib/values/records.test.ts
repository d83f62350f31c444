/** Readers of unknown values: each takes only its own kind of value, as it is, and has a substitute for all others. */
import * as fc from 'fast-check';
import {
	asArray,
	asNonEmptyString,
	asRecord,
	asRecords,
	asString,
	findList,
	isNonEmpty,
	isRecord,
	isUnset,
	mapValues,
	omitEmpty,
	omitUndefined,
} from '../../../lib/values/records';

type Kind = 'unset' | 'empty text' | 'text' | 'number' | 'boolean' | 'list' | 'object';

/** Values of each kind. An empty text is unset, too. */
const VALUES: Readonly<Record<Kind, fc.Arbitrary<unknown>>> = {
	unset: fc.constantFrom(undefined, null),
	'empty text': fc.constant(''),
	text: fc.oneof(fc.constant(' '), fc.string({ minLength: 1 })),
	number: fc.oneof(fc.constantFrom(0, Number.NaN), fc.double()),
	boolean: fc.boolean(),
	list: fc.array(fc.anything()),
	object: fc.oneof(
		fc.constantFrom({}, new Map(), { constructor: 1 }),
		fc.dictionary(fc.string(), fc.anything()),
	),
};
const KINDS = Object.keys(VALUES) as Kind[];

const size = (value: object) => Object.keys(value).length;

/** What each reader says of a value, by its kind alone. */
const EXPECTED: ReadonlyArray<{
	reader: (value: unknown) => unknown;
	of: (kind: Kind, value: unknown) => unknown;
}> = [
	{ reader: isRecord, of: (kind) => kind === 'object' },
	{ reader: isUnset, of: (kind) => ['unset', 'empty text'].includes(kind) },
	{
		reader: isNonEmpty,
		of: (kind, value) =>
			kind === 'list' || kind === 'object'
				? size(value as object) > 0
				: !['unset', 'empty text'].includes(kind),
	},
	{
		reader: asString,
		of: (kind, value) => (['text', 'empty text'].includes(kind) ? value : undefined),
	},
	{ reader: asNonEmptyString, of: (kind, value) => (kind === 'text' ? value : undefined) },
	{ reader: asArray, of: (kind, value) => (kind === 'list' ? value : []) },
	{ reader: asRecord, of: (kind, value) => (kind === 'object' ? value : {}) },
	{
		reader: asRecords,
		of: (kind, value) =>
			kind === 'list'
				? (value as unknown[]).filter(
						(one) => Object(one) === one && typeof one === 'object' && !Array.isArray(one),
					)
				: [],
	},
];

test.each(EXPECTED)('$reader.name takes only its own kind', ({ reader, of }) => {
	for (const kind of KINDS)
		fc.assert(
			fc.property(VALUES[kind], (value) => {
				expect({ kind, read: reader(value) }).toEqual({ kind, read: of(kind, value) });
			}),
		);
});

test('an object without its undefined fields, or without its empty ones, has the others as they were', () => {
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.oneof(...Object.values(VALUES))), (fields) => {
			const names = Object.keys(fields);
			const defined = names.filter((name) => fields[name] !== undefined);
			const filled = names.filter((name) => isNonEmpty(fields[name]));
			expect(Object.entries(omitUndefined(fields))).toEqual(
				defined.map((name) => [name, fields[name]]),
			);
			expect(Object.entries(omitEmpty(fields))).toEqual(filled.map((name) => [name, fields[name]]));
			expect(Object.entries(mapValues(fields, (value) => [value]))).toEqual(
				names.map((name) => [name, [fields[name]]]),
			);
		}),
	);
});

/** A list under so many objects, each of which has another list under another name. */
const nest = (depth: number, names: readonly string[]): unknown =>
	depth === 0
		? ['found']
		: { other: ['wrong'], [names[depth % names.length]!]: nest(depth - 1, names) };

test.each([undefined, 1, 2, 5])('a list under at most %s objects is found', (given) => {
	for (let depth = 0; depth < 8; depth++) {
		const list = findList(nest(depth, ['data', 'results']), ['data', 'results'], given);
		expect({ depth, list }).toEqual({ depth, list: depth <= (given ?? 3) ? ['found'] : undefined });
	}
});

test('the first name with a list counts', () => {
	expect(findList({ b: ['b'], a: ['a'] }, ['a', 'b'])).toEqual(['a']);
	expect(findList({ a: 'x', b: ['b'] }, ['a', 'b'])).toEqual(['b']);
	expect(findList({}, ['constructor'])).toBeUndefined();
});
