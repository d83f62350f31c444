/**
 * The check of a value against a schema: equal to another validator for small schemas, and bounded in time, memory and
 * text for schemas and values of any size.
 */
import { validate as validateByLibrary } from '@cfworker/json-schema';
import type { SchemaDraft } from '@cfworker/json-schema';
import { validateAgainstSchema } from '../../../../lib/chat/check/validate-against-schema';
import type { JsonRecord } from '../../../../lib/values/records';
import { cpuMilliseconds } from '../../../support/measures/cpu-time';
import { examples } from '../../../support/jest/properties';
import fc from 'fast-check';

/** Small values that often match. */
const VALUES = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 2 },
		fc.constantFrom<unknown>(null, true, 0, 1, 2.5, -3, '', 'a', 'ab', '😀', '2026-01-31'),
		fc.array(tie('value'), { maxLength: 3 }),
		fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
	),
})).value;

const NAMES = fc.subarray(['a', 'b', 'c']);

/** Schemas with each keyword that is checked. */
const SCHEMAS = fc.letrec((tie) => {
	const schema = tie('schema');
	const list = fc.array(schema, { minLength: 1, maxLength: 3 });
	const byName = fc.dictionary(fc.constantFrom('a', 'b', 'c'), schema, { maxKeys: 3 });
	const count = fc.constantFrom(0, 1, 2, 3);
	const keywords = {
		type: fc.constantFrom<unknown>('object', 'array', 'string', 'integer', ['number', 'null']),
		const: VALUES,
		enum: fc.array(VALUES, { minLength: 1, maxLength: 3 }),
		not: schema,
		anyOf: list,
		allOf: list,
		oneOf: list,
		if: schema,
		then: schema,
		else: schema,
		required: NAMES,
		minProperties: count,
		maxProperties: count,
		propertyNames: schema,
		dependentRequired: fc.dictionary(fc.constantFrom('a', 'b'), NAMES, { maxKeys: 2 }),
		dependentSchemas: byName,
		dependencies: byName,
		properties: byName,
		additionalProperties: schema,
		minItems: count,
		maxItems: count,
		items: schema,
		contains: schema,
		minimum: count,
		maximum: count,
		exclusiveMinimum: count,
		exclusiveMaximum: count,
		multipleOf: fc.constantFrom(0.5, 1, 2),
		minLength: count,
		maxLength: count,
		format: fc.constantFrom('date', 'email', 'uuid'),
	};
	const single = Object.entries(keywords).map(([name, value]) =>
		(value as fc.Arbitrary<unknown>).map((expected): JsonRecord => ({ [name]: expected })),
	);
	return {
		schema: fc.oneof(
			{ maxDepth: 3, depthSize: 'small' },
			fc.constantFrom<unknown>(true, false, {}),
			fc
				.array(fc.oneof(...single), { minLength: 1, maxLength: 3 })
				.map((parts): JsonRecord => Object.assign({}, ...parts) as JsonRecord),
		),
	};
}).schema;

const DRAFTS: ReadonlyArray<[SchemaDraft, string]> = [
	['4', 'http://json-schema.org/draft-04/schema#'],
	['7', 'http://json-schema.org/draft-07/schema#'],
	['2019-09', 'https://json-schema.org/draft/2019-09/schema'],
	['2020-12', 'https://json-schema.org/draft/2020-12/schema'],
];

const isValid = (schema: JsonRecord, value: unknown) =>
	validateAgainstSchema(schema, value).issues.length === 0;

test.each(DRAFTS)('draft %s: as another validator', (draft, $schema) => {
	fc.assert(
		fc.property(SCHEMAS, VALUES, (inner, value) => {
			// In draft 4, these have another meaning.
			const text = JSON.stringify(inner);
			fc.pre(draft !== '4' || !text.includes('exclusiveM'));
			// The library takes `minContains` for 0 if it is missing beside `maxContains`, so neither is generated.
			const schema = { $schema, allOf: [inner] };
			const copy = structuredClone(schema) as object;
			const expected = validateByLibrary(value as never, copy, draft, undefined, false).valid;
			expect(isValid(schema, value)).toBe(expected);
		}),
		examples(1_000),
	);
});

test.each<[string, JsonRecord, unknown[], unknown[]]>([
	[
		'exclusive limits of draft 4',
		{ $schema: 'draft-04', minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: true },
		[2, 'a'],
		[1, 3],
	],
	[
		'a list of schemas before 2020-12',
		{ $schema: 'draft-07', items: [{ type: 'number' }], additionalItems: { type: 'string' } },
		[[1], [1, 'a', 'b'], []],
		[['a'], [1, 2]],
	],
	[
		'the first items of 2020-12, and the others',
		{ prefixItems: [{ type: 'number' }], items: false },
		[[1], []],
		[[1, 2], ['a']],
	],
	[
		'beside a reference: ignored in the old drafts',
		{ $schema: 'draft-07', $ref: '#/definitions/a', type: 'number', definitions: { a: {} } },
		['a', 1],
		[],
	],
	[
		'beside a reference: counted in the new drafts',
		{ $ref: '#/$defs/a', type: 'number', $defs: { a: { minimum: 1 } } },
		[1],
		['a', 0],
	],
	[
		'unevaluated properties after references and combinations',
		{
			$ref: '#/$defs/a',
			anyOf: [{ properties: { b: { type: 'number' } } }, { properties: { c: true } }],
			if: { properties: { d: { const: 1 } }, required: ['d'] },
			unevaluatedProperties: false,
			$defs: { a: { properties: { a: true } } },
		},
		[{ a: 1, b: 1, c: 1, d: 1 }, {}],
		[{ d: 2 }, { b: 'x' }, { e: 1 }],
	],
	[
		'unevaluated items after contained ones',
		{ prefixItems: [true], contains: { type: 'string' }, unevaluatedItems: false },
		[[1, 'a', 'b'], ['a']],
		[[1, 'a', 2], [1]],
	],
	[
		'a number of contained items',
		{ contains: { type: 'string' }, minContains: 2, maxContains: 3 },
		[['a', 'b', 1]],
		[['a'], ['a', 'b', 'c', 'd'], []],
	],
	[
		'an anchor that recursion refers to',
		{
			$schema: 'https://json-schema.org/draft/2019-09/schema',
			$recursiveAnchor: true,
			type: 'object',
			properties: { child: { $recursiveRef: '#' } },
		},
		[{ child: { child: {} } }],
		[{ child: { child: 1 } }],
	],
	[
		'an anchor and an ID',
		{ $id: 'https://a.example/s', items: { $ref: '#x' }, $defs: { x: { $anchor: 'x', const: 1 } } },
		[[1, 1]],
		[[2]],
	],
	['objects in an enum', { enum: [{ a: 1, b: [2] }, null] }, [{ b: [2], a: 1 }, null], [{ a: 1 }]],
	['a format that is not known', { format: 'colour' }, ['x', ''], []],
	['exact multiples', { multipleOf: 0.1 }, [0.3, 1.1, 1e300], [0.35]],
	['characters instead of UTF-16', { minLength: 2, maxLength: 2 }, ['😀😀', 'ab'], ['😀', 'abc']],
	['a name of JavaScript', { required: ['__proto__', 'toString'] }, [], [{}, { toString: 1 }]],
])('valid and invalid values of %s', (_name, schema, valid, invalid) => {
	expect([...valid, ...invalid].map((value) => isValid(schema, value))).toEqual([
		...valid.map(() => true),
		...invalid.map(() => false),
	]);
});

describe('whatever the schema and the value are, the check is short', () => {
	const list = (count: number, value: (index: number) => unknown) =>
		Array.from({ length: count }, (_none, index) => value(index));
	const names = list(2_000, (index) => `name number ${index}`);
	const long = 'x'.repeat(150_000);
	const manyNames = Object.fromEntries(
		list(100_000, (index) => [`name ${index}`, index]) as Array<[string, unknown]>,
	);

	/** The most that an issue may have, so that a prompt with five of them stays short. */
	const MAX_ISSUE = 1_200;
	/** Far above the time of 10,000 steps, far below that of the complete check. */
	const MAX_CPU_MS = 1_000;

	it.each<[string, JsonRecord, unknown]>([
		[
			'an enum of 2,000 names, and 9,000 wrong values',
			{ items: { enum: names } },
			list(9_000, String),
		],
		['9,000 right values', { items: { enum: names } }, list(9_000, () => 'name number 1999')],
		[
			'an enum of objects',
			{ items: { enum: list(2_000, (a) => ({ a, b: [a] })) } },
			list(9_000, (a) => ({ a, b: [] })),
		],
		['a long constant', { items: { const: long } }, list(9_000, String)],
		[
			'a constant with many parts',
			{ items: { const: list(20_000, (a) => a) } },
			list(9_000, (a) => [a]),
		],
		[
			'2,000 alternatives',
			{ items: { anyOf: names.map((name) => ({ const: name })) } },
			list(9_000, String),
		],
		[
			'one of 2,000 numbers, and 100,000 names',
			{ oneOf: list(2_000, (value) => ({ const: value })) },
			manyNames,
		],
		[
			'one of 300 objects, and 100,000 names',
			{ anyOf: list(300, (a) => ({ const: { a } })) },
			manyNames,
		],
		[
			'one of 2,000 lists of choices, and a long text',
			{ anyOf: list(2_000, (choice) => ({ enum: [choice] })) },
			'x'.repeat(2_000_000),
		],
		[
			'alternatives within alternatives',
			{
				anyOf: list(20, () => ({
					anyOf: list(20, () => ({ anyOf: list(20, () => ({ type: 'string' })) })),
				})),
			},
			1,
		],
		[
			'one of 2,000',
			{ items: { oneOf: names.map((name) => ({ const: name })) } },
			list(9_000, String),
		],
		['a list that contains nothing', { contains: { enum: names } }, list(9_000, String)],
		['100,000 unknown names', { additionalProperties: false }, manyNames],
		['100,000 names with a schema', { additionalProperties: { enum: names } }, manyNames],
		['100,000 names that must be others', { propertyNames: { enum: names } }, manyNames],
		[
			'100,000 names that nothing evaluates',
			{ anyOf: [{ properties: {} }, {}], unevaluatedProperties: false },
			manyNames,
		],
		['required names that are missing', { items: { required: names } }, list(9_000, () => ({}))],
		[
			'dependent names',
			{ items: { dependentRequired: { a: names } } },
			list(9_000, () => ({ a: 1 })),
		],
		['a list of types', { items: { type: list(5_000, String) } }, list(9_000, String)],
		[
			'the length of a long text, many times',
			{ allOf: list(5_000, () => ({ minLength: 1_900_000 })) },
			'x'.repeat(2_000_000),
		],
		[
			'the format of a long text, many times',
			{ allOf: list(5_000, () => ({ format: 'uri' })) },
			`a:${'x'.repeat(2_000_000)}`,
		],
		[
			'the number of 100,000 names, many times',
			{ allOf: list(5_000, () => ({ minProperties: 1 })) },
			manyNames,
		],
		['a wrong type in 20,000 items', { items: { type: 'string' } }, list(20_000, (a) => a)],
		['20,000 equal items', { uniqueItems: true }, list(20_000, () => ({}))],
		['100,000 different items', { uniqueItems: true }, list(100_000, (index) => ({ index }))],
		[
			'different items of 200 lists, at each level',
			{ uniqueItems: true, items: { uniqueItems: true, items: { uniqueItems: true } } },
			list(200, (a) => list(50, (b) => list(20, (c) => `${a} ${b} ${c}`))),
		],
		['two long items', { uniqueItems: true }, ['x'.repeat(1_000_000), 'x'.repeat(999_999)]],
		[
			'different items, many times',
			{ allOf: list(5_000, () => ({ uniqueItems: true })) },
			list(1_000, String),
		],
		[
			'a long name',
			{ additionalProperties: { properties: { [long]: { type: 'string' } } } },
			{ [long]: { [long]: 1 } },
		],
		[
			'an evil pattern',
			{ patternProperties: { '^(a+)+$': {} }, pattern: '(a|a)*b' },
			{ ['a'.repeat(50)]: 1 },
		],
	])('the check is short: %s', (_name, schema, value) => {
		let issues: string[] = [];
		expect(cpuMilliseconds(() => ({ issues } = validateAgainstSchema(schema, value)))).toBeLessThan(
			MAX_CPU_MS,
		);
		expect(issues.length).toBeLessThanOrEqual(5);
		for (const issue of issues) expect(issue.length).toBeLessThan(MAX_ISSUE);
	});

	it('issues that were found before the limit of steps are reported', () => {
		const check = validateAgainstSchema({ items: { type: 'number' } }, [
			...list(10, String).slice(0, 1),
			...list(20_000, (index) => index),
		]);
		expect(check).toEqual({ issues: ['0: is of type string instead of number'], unchecked: [] });
	});

	it('a schema without an end is an error', () => {
		expect(() => validateAgainstSchema({ $ref: '#' }, 1)).toThrow('The JSON schema is invalid');
		expect(() => validateAgainstSchema({ anyOf: [{ $ref: '#' }] }, 1)).toThrow(
			'The JSON schema is invalid',
		);
	});

	it('a schema is prepared once for all texts that may be the response', () => {
		const properties = Object.fromEntries(
			list(5_000, (index) => [`name ${index}`, { type: 'string' }]) as Array<[string, unknown]>,
		);
		const schema = { type: 'object', properties, required: ['none'] };
		expect(
			cpuMilliseconds(() => {
				for (let count = 0; count < 2_000; count++) validateAgainstSchema(schema, []);
			}),
		).toBeLessThan(MAX_CPU_MS);
	});
});

describe('items that must be different', () => {
	const unique = { type: 'array', uniqueItems: true };

	it.each([
		{ value: [1, 1], first: 0, second: 1 },
		{ value: ['a', 'b', 'a'], first: 0, second: 2 },
		{ value: [1, 2, 1.0], first: 0, second: 2 },
		{ value: [0, -0], first: 0, second: 1 },
		{ value: [null, 1, null], first: 0, second: 2 },
		{
			value: [
				{ a: 1, b: [2] },
				{ b: [2], a: 1 },
			],
			first: 0,
			second: 1,
		},
		{ value: [[1], [1]], first: 0, second: 1 },
		{ value: ['é', 'é'], first: 0, second: 1 },
	])('$value are not', ({ value, first, second }) => {
		const issue = `The response: has equal items (${first} and ${second})`;
		expect(validateAgainstSchema(unique, value)).toEqual({ issues: [issue], unchecked: [] });
		expect(validateAgainstSchema({ properties: { a: unique } }, { a: value }).issues).toEqual([
			issue.replace('The response', 'a'),
		]);
	});

	it.each([
		{ value: [] },
		{ value: [1] },
		{ value: [1, '1', [1], { 1: 1 }, true, 'true', null, 'null'] },
		{ value: [{ a: 1 }, { a: 2 }, { b: 1 }, {}] },
		{ value: [0, false, '', []] },
		{ value: [[1, 2], [2, 1], ['1', 2], ['1,2']] },
		{ value: ['a', 'A', 'a ', 'á'] },
		{ value: 'aa' },
		{ value: { 0: 1, 1: 1 } },
	])('$value are', ({ value }) => {
		const check = validateAgainstSchema({ uniqueItems: true }, value);
		expect(check).toEqual({ issues: [], unchecked: [] });
	});

	it('only if the schema requires it', () => {
		for (const uniqueItems of [false, 'true', null, 1])
			expect(validateAgainstSchema({ uniqueItems }, [1, 1]).issues).toEqual([]);
	});
});
