import fc from 'fast-check';
import { toGrammarSchema, assertDepth } from '../../../lib/chat/completion-request';
import { unwrapSchema } from '../../../nodes/shared/chat/generation';
import { toToolDefinition } from '../../../lib/langchain/host-data';

const inField = (schema: unknown) => ({ type: 'object', properties: { a: schema } });

const ANY_TYPE = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

test.each<[string, Record<string, unknown>]>([
	['an empty schema', {}],
	['a list of types', { type: ['string', 'null'] }],
	['tuples', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }],
	['counts', { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1998 } }],
	[
		'keywords that it ignores',
		{ type: 'string', not: { const: 1 }, format: 'email', default: { type: 'x' } },
	],
	['references', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
	['properties with names of keywords', inField({ properties: { pattern: {} } })],
	['closed objects', { type: 'object', additionalProperties: false, required: ['a'] }],
])('schemas that llama.cpp supports are unchanged: %s', (_what, schema) => {
	expect(toGrammarSchema(schema)).toEqual({ schema, removedPaths: [] });
});

describe('rewritten without loss', () => {
	test.each<[unknown, unknown]>([
		[true, {}],
		[
			{ type: 'array', items: true },
			{ type: 'array', items: {} },
		],
		[
			{ type: 'integer', minimum: -(2 ** 53 - 1), maximum: 5 },
			{ type: 'integer', maximum: 5 },
		],
		[
			{ description: 'Arguments for the tool' },
			{ description: 'Arguments for the tool', type: ANY_TYPE },
		],
		[{ items: { title: 'a' } }, { items: { title: 'a', type: ANY_TYPE } }],
		[{ patternProperties: { a: {} } }, { patternProperties: { a: {} }, type: ANY_TYPE }],
	])('%j', (schema, expected) => {
		expect(toGrammarSchema(inField(schema))).toEqual({
			schema: inField(expected),
			removedPaths: [],
		});
	});

	test('forbidden properties are removed, and the root moves to $defs if a part refers to it', () => {
		expect(toGrammarSchema({ properties: { a: false, b: { $ref: '#' } } })).toEqual({
			schema: {
				properties: { b: { $ref: '#/$defs/wholeSchema' } },
				$defs: { wholeSchema: { properties: { b: { $ref: '#/$defs/wholeSchema' } } } },
			},
			removedPaths: [],
		});
	});
});

describe('parts that a grammar cannot express are removed and reported', () => {
	test.each<[Record<string, unknown>, string]>([
		[{ pattern: '^a$' }, 'pattern (no grammar can match every pattern)'],
		[{ minLength: 2000 }, 'minLength (more than 1998)'],
		[{ type: 'date' }, 'type (unknown type "date")'],
		[{ enum: [] }, 'enum (empty)'],
		[{ $ref: 'other.json' }, '$ref (reference to an external document)'],
		[{ $ref: '#/$defs/nowhere' }, '$ref (unresolved reference)'],
	])('%j', (schema, dropped) => {
		expect(toGrammarSchema(inField(schema))).toEqual({
			schema: inField({}),
			removedPaths: [`properties.a.${dropped}`],
		});
	});

	test('a minimum above the maximum removes both, because llama-server would run out of memory', () => {
		const { schema, removedPaths } = toGrammarSchema({ type: 'array', minItems: 5, maxItems: 4 });
		expect([schema, removedPaths.length]).toEqual([{ type: 'array' }, 2]);
	});
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

const unchanged = (tool: { inputSchema: object }) => tool.inputSchema;

test.each([1, 100, 300])('a schema of %d levels is accepted', (levels) => {
	expect(() => assertDepth(nested(levels), 'The JSON schema')).not.toThrow();
});

test.each([600, 3_000, 50_000])(
	'a schema of %d levels is rejected, also as the schema of a tool',
	(levels) => {
		const tool = { name: 'find', description: 'Finds', schema: nested(levels) };
		const openAiTool = { type: 'function', function: { name: 'find', parameters: nested(levels) } };
		const converter = unchanged as unknown as Parameters<typeof toToolDefinition>[1];
		expect(() => unwrapSchema(nested(levels))).toThrow(
			'The JSON schema is nested too deeply (maximum 500',
		);
		for (const each of [tool, openAiTool])
			expect(() => toToolDefinition(each, converter)).toThrow('tool "find" is nested too deeply');
	},
);
