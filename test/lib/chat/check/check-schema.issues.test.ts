/** What the check of a value against a schema says, and in which order; the sentences go to the model and to the user. */
import path from 'node:path';
import type { SchemaDraft } from '../../../../lib/chat/check/check-schema';
import { checkSchema } from '../../../../lib/chat/check/check-schema';
import { validateAgainstSchema } from '../../../../lib/chat/check/validate-against-schema';
import { expectApproved } from '../../../support/approved/approved-table';
import { describeError } from '../../../support/approved/outcome';

const LONG = 'x'.repeat(300);

/** Schemas, each with values. */
const CASES: ReadonlyArray<readonly [schema: unknown, ...values: unknown[]]> = [
	[{ type: 'string' }, 'a', 1, null, true, [], {}],
	[{ type: ['string', 'null'] }, null, 1.5],
	[{ type: 'integer' }, 1, 1.5, '1'],
	[{ const: { a: 1, b: [2] } }, { b: [2], a: 1 }, { a: 1 }],
	[{ const: 0 }, -0, '0'],
	[{ enum: ['a', 1, null, { b: 2 }] }, { b: 2 }, 'b', '1'],
	[{ enum: Array.from({ length: 300 }, (_value, index) => `choice ${index}`) }, 'none'],
	[{ enum: [LONG] }, `${LONG}y`],
	[{ not: { type: 'string' } }, 1, 'a'],
	[{ anyOf: [{ type: 'string' }, { minimum: 3 }] }, 'a', 4, 1, null],
	[{ anyOf: [{ type: 'string' }, { type: 'array' }] }, 1],
	[{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, 1, 0, 3],
	[{ oneOf: [{ minimum: 1 }, { maximum: 2 }] }, 3, 1.5],
	[{ oneOf: [{ type: 'string' }, { minimum: 3 }] }, 1],
	[{ if: { minimum: 5 }, then: { maximum: 9 }, else: { minimum: 2 } }, 6, 10, 3, 1],
	[{ if: { minimum: 5 } }, 1, 6],
	[{ required: ['a', 'b'] }, { a: 1, b: 2 }, { b: 1 }, {}],
	[{ minProperties: 1, maxProperties: 2 }, {}, { a: 1 }, { a: 1, b: 1, c: 1 }],
	[{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
	[{ dependentRequired: { a: ['b'] } }, { b: 1 }, { a: 1 }, { a: 1, b: 1 }],
	[{ dependentSchemas: { a: { required: ['c'] } } }, { a: 1 }, { a: 1, c: 1 }],
	[{ dependencies: { a: ['b'], c: { required: ['d'] } } }, { a: 1, c: 1 }],
	[{ properties: { a: { type: 'string' }, b: false } }, { a: 1, b: 2 }, { a: 'x' }],
	[{ properties: { a: {} }, additionalProperties: false }, { a: 1 }, { a: 1, b: 2, [LONG]: 3 }],
	[
		{ properties: { a: {} }, additionalProperties: { type: 'number' } },
		{ b: 'x', a: 'x' },
	],
	[{ allOf: [{ properties: { a: {} } }], unevaluatedProperties: false }, { a: 1 }, { a: 1, b: 2 }],
	[
		{ anyOf: [{ required: ['x'] }, { properties: { a: {} } }], unevaluatedProperties: false },
		{ a: 1 },
		{ b: 1 },
	],
	[{ minItems: 1, maxItems: 2 }, [], [1], [1, 2, 3]],
	[
		{ uniqueItems: true },
		[1, 2],
		[1, 2, 1],
		[
			{ a: 1, b: 2 },
			{ b: 2, a: 1 },
		],
		['1', 1],
	],
	[{ uniqueItems: false }, [1, 1]],
	[{ items: { type: 'number' } }, [1, 'a', 2, 'b']],
	[
		{ prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
		['a'],
		['a', 1],
		[1, 'a'],
		['a', 1, 2],
	],
	[{ items: [{ type: 'string' }], additionalItems: { type: 'number' } }, ['a', 1], [1, 'a']],
	[{ items: [{ type: 'string' }] }, ['a', 'b']],
	[{ contains: { type: 'string' } }, ['a'], [1]],
	[
		{ contains: { type: 'string' }, minContains: 2, maxContains: 2 },
		['a', 'b'],
		['a'],
		['a', 'b', 'c'],
	],
	[{ contains: { type: 'string' }, minContains: 0 }, [1]],
	[{ prefixItems: [{}], contains: { type: 'string' }, unevaluatedItems: false }, [1, 'a'], [1, 2]],
	[{ minimum: 1, maximum: 2 }, 1, 2, 0.5, 2.5],
	[{ exclusiveMinimum: 1, exclusiveMaximum: 2 }, 1, 1.5, 2],
	[{ multipleOf: 0.1 }, 0.3, 0.35, 1e300],
	[{ multipleOf: 10 }, 20, 25],
	[{ multipleOf: 0 }, 1],
	[{ minLength: 2, maxLength: 3 }, 'a', 'ab', '😀😀😀', 'abcd'],
	[{ format: 'date' }, '2026-01-31', '2026-02-31'],
	[{ format: 'date-time' }, '2026-01-31T10:00:00Z', '2026-01-31T10:00:00', '10:00'],
	[{ format: 'time' }, '10:00:00', '25:00:00'],
	[{ format: 'email' }, 'a@b.c', 'a'],
	[{ format: 'unknown' }, 'x'],
	[
		{ properties: { list: { items: { properties: { deep: { type: 'string' } } } } } },
		{ list: [{}, { deep: 1 }] },
	],
	[
		{ properties: { [LONG]: { properties: { [LONG]: { properties: { c: { type: 'null' } } } } } } },
		{ [LONG]: { [LONG]: { c: 1 } } },
	],
	[{ items: { type: 'string' } }, [1, 2, 3, 4, 5, 6, 7]],
	[false, 1],
	[true, 1],
	[{ $ref: '#/$defs/a', minimum: 5, $defs: { a: { type: 'number', maximum: 7 } } }, 4, 6, 8],
	[
		{ properties: { next: { $ref: '#' } }, required: ['value'] },
		{ value: 1, next: { next: {} } },
	],
	[{ minimum: '1', minLength: null, required: 'a' }, 0, 'a', {}],
];

const DRAFTS: ReadonlyArray<readonly [draft: string, schema: object, value: unknown]> = [
	['draft-04', { minimum: 1, exclusiveMinimum: true }, 1],
	['draft-04', { maximum: 1, exclusiveMaximum: true }, 1],
	['draft-04', { maximum: 1, exclusiveMaximum: false }, 1],
	['draft-07', { minimum: 1, exclusiveMinimum: true }, 1],
	['draft-07', { $ref: '#/definitions/a', minimum: 5, definitions: { a: { maximum: 7 } } }, 4],
	['draft-04', { $ref: '#/definitions/a', minimum: 5, definitions: { a: { maximum: 7 } } }, 8],
];

const describe = (schema: unknown, value: unknown) => {
	try {
		return validateAgainstSchema(schema as never, value);
	} catch (error) {
		return describeError(error);
	}
};

test('each schema says what is wrong with each value', () => {
	const rows = CASES.flatMap(([schema, ...values]) =>
		values.map((value) => ({
			input: `${JSON.stringify(schema)} | ${Object.is(value, -0) ? '-0' : JSON.stringify(value)}`
				.replaceAll(LONG, 'LONG')
				.replace(/"choice 0".*"choice 299"/, 'choices'),
			outcome: describe(schema, value),
		})),
	);
	const byDraft = DRAFTS.map(([draft, schema, value]) => ({
		input: `${draft} ${JSON.stringify(schema)} | ${JSON.stringify(value)}`,
		outcome: describe({ $schema: `http://json-schema.org/${draft}/schema#`, ...schema }, value),
	}));
	expectApproved(
		path.join(__dirname, 'check-schema.issues.approved.txt'),
		[...rows, ...byDraft],
		'A value that breaks a schema has an issue that names the place, and no other value has one',
	);
});

const RECURSIVE_DRAFT: SchemaDraft = '2019-09';

test('a recursive anchor is the outermost one, within references but not within combinations', () => {
	const tree = { $recursiveAnchor: true, properties: { child: { $recursiveRef: '#' } } };
	const strict = { ...tree, required: ['name'], properties: { ...tree.properties, name: {} } };
	const check = (schema: unknown, value: unknown) =>
		checkSchema({ schema, draft: RECURSIVE_DRAFT, lookup: { '#': schema } }, value).issues;
	expect(check(strict, { name: 1, child: {} })).toEqual(['child: lacks the property "name"']);
	expect(check({ ...strict, $ref: '#tree' }, { name: 1, child: { child: {} } })).toEqual([
		'child: lacks the property "name"',
		'child.child: lacks the property "name"',
	]);
});
