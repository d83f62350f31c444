import fc from 'fast-check';
import { assertDepth, toGrammarSchema } from '../../../../lib/chat/body/grammar-schema';
import { unwrapSchema } from '../../../../nodes/shared/chat/json-schema';

const ANY_TYPE = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** An object whose property `a` has this schema. */
const property = (a: unknown) => ({ type: 'object', properties: { a } });

test.each<{ name: string; schema: Record<string, unknown> }>([
	{ name: 'an empty schema', schema: {} },
	{ name: 'a list of types', schema: { type: ['string', 'null'] } },
	{
		name: 'tuples',
		schema: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
	},
	{
		name: 'counts',
		schema: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1998 } },
	},
	{
		name: 'keywords that llama.cpp ignores',
		schema: { type: 'string', not: { const: 1 }, format: 'email', default: { type: 'x' } },
	},
	{ name: 'references', schema: { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } } },
	{
		name: 'properties with names of keywords',
		schema: { type: 'object', properties: { a: { properties: { pattern: {} } } } },
	},
	{
		name: 'closed objects',
		schema: { type: 'object', additionalProperties: false, required: ['a'] },
	},
])('a schema for a grammar keeps $name', ({ schema }) => {
	expect(toGrammarSchema(schema)).toEqual({ schema, removedPaths: [] });
});

interface ConvertedSchema {
	name: string;
	source: Record<string, unknown>;
	/** For the grammar, which accepts the same values. */
	expected: object;
}

test.each<ConvertedSchema>([
	{ name: 'true', source: property(true), expected: property({}) },
	{
		name: 'true for items',
		source: property({ type: 'array', items: true }),
		expected: property({ type: 'array', items: {} }),
	},
	{
		name: 'a limit of JavaScript',
		source: property({ type: 'integer', minimum: -9007199254740991, maximum: 5 }),
		expected: property({ type: 'integer', maximum: 5 }),
	},
	{
		name: 'a part without a type',
		source: property({ description: 'Arguments for the tool' }),
		expected: property({ description: 'Arguments for the tool', type: ANY_TYPE }),
	},
	{
		name: 'items without a type',
		source: property({ items: { title: 'a' } }),
		expected: property({ items: { title: 'a', type: ANY_TYPE } }),
	},
	{
		name: 'properties by pattern',
		source: property({ patternProperties: { a: {} } }),
		expected: property({ patternProperties: { a: {} }, type: ANY_TYPE }),
	},
	{
		name: 'forbidden properties go, and the root moves to $defs if a part refers to it',
		source: { properties: { a: false, b: { $ref: '#' } } },
		expected: {
			properties: { b: { $ref: '#/$defs/wholeSchema' } },
			$defs: { wholeSchema: { properties: { b: { $ref: '#/$defs/wholeSchema' } } } },
		},
	},
])('a schema for a grammar changes without loss: $name', ({ source, expected }) => {
	const input = JSON.stringify(source);
	expect({ input, ...toGrammarSchema(source) }).toEqual({
		input,
		schema: expected,
		removedPaths: [],
	});
});

test.each([
	{ keyword: 'pattern', value: '^a$', reason: 'no grammar can match every pattern' },
	{ keyword: 'minLength', value: 2000, reason: 'more than 1998' },
	{ keyword: 'type', value: 'date', reason: 'unknown type "date"' },
	{ keyword: 'enum', value: [], reason: 'empty' },
	{ keyword: '$ref', value: 'other.json', reason: 'reference to an external document' },
	{ keyword: '$ref', value: '#/$defs/nowhere', reason: 'unresolved reference' },
])(
	'no grammar expresses the $keyword $value, so it is reported: $reason',
	({ keyword, value, reason }) => {
		expect(toGrammarSchema(property({ [keyword]: value }))).toEqual({
			schema: property({}),
			removedPaths: [`properties.a.${keyword} (${reason})`],
		});
	},
);

test('a minimum above the maximum removes both, because llama-server would run out of memory', () => {
	const { schema, removedPaths } = toGrammarSchema({ type: 'array', minItems: 5, maxItems: 4 });
	expect([schema, removedPaths.length]).toEqual([{ type: 'array' }, 2]);
});

test('converting a converted schema changes nothing', () => {
	fc.assert(
		fc.property(fc.object({ key: fc.constantFrom('type', 'items', 'a', 'enum') }), (schema) => {
			const converted = toGrammarSchema(schema).schema;
			expect(toGrammarSchema(converted).schema).toEqual(converted);
		}),
	);
});

/** A schema of nested lists and alternatives. */
function nested(levels: number): Record<string, unknown> {
	let schema: Record<string, unknown> = { type: 'string' };
	for (let level = 1; level < levels; level++)
		schema = level % 2 === 0 ? { anyOf: [schema] } : { type: 'array', items: schema };
	return schema;
}

test.each([1, 100, 300])('a schema of %d levels is accepted', (levels) => {
	expect(() => assertDepth(nested(levels), 'The JSON schema')).not.toThrow();
});

test.each([600, 3_000, 50_000])('a schema of %d levels is rejected', (levels) => {
	expect(() => unwrapSchema(nested(levels))).toThrow(
		'The JSON schema is nested too deeply (maximum 500',
	);
});
