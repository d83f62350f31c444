import fc from 'fast-check';

import { toGrammarSchema } from '../../../lib/chat/grammar-schema';

const inField = (schema: unknown) => ({ type: 'object', properties: { a: schema } });

describe('what llama.cpp takes stays', () => {
	test.each<[string, Record<string, unknown>]>([
		['an empty one', {}],
		['a list of types', { type: ['string', 'null'] }],
		['tuples', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }],
		['counts', { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1998 } }],
		['what it ignores', { not: { const: 1 }, format: 'email', default: { type: 'x' } }],
		['references', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
		['properties that are called like keywords', inField({ properties: { pattern: {} } })],
		['closed objects', { type: 'object', additionalProperties: false, required: ['a'] }],
	])('%s', (_what, schema) => {
		expect(toGrammarSchema(schema)).toEqual({ schema, removedPaths: [] });
	});
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
	])('%j', (schema, expected) => {
		expect(toGrammarSchema(inField(schema))).toEqual({
			schema: inField(expected),
			removedPaths: [],
		});
	});

	test('forbidden properties are left out, and the whole gets a name where a part refers to it', () => {
		expect(toGrammarSchema({ properties: { a: false, b: { $ref: '#' } } })).toEqual({
			schema: {
				properties: { b: { $ref: '#/$defs/wholeSchema' } },
				$defs: { wholeSchema: { properties: { b: { $ref: '#/$defs/wholeSchema' } } } },
			},
			removedPaths: [],
		});
	});
});

describe('what it cannot express is left out and named', () => {
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

	test('both, where the least is above the most: llama-server would eat memory until it dies', () => {
		const { schema, removedPaths } = toGrammarSchema({ type: 'array', minItems: 5, maxItems: 4 });
		expect([schema, removedPaths.length]).toEqual([{ type: 'array' }, 2]);
	});
});

test('a cleaned schema stays as it is', () => {
	fc.assert(
		fc.property(fc.object({ key: fc.constantFrom('type', 'items', 'a', 'enum') }), (schema) => {
			const once = toGrammarSchema(schema).schema;
			expect(toGrammarSchema(once).schema).toEqual(once);
		}),
	);
});
