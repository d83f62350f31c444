import fc from 'fast-check';

import { cleanSchema } from '../../../lib/chat/schema';

const inField = (schema: unknown) => ({ type: 'object', properties: { a: schema } });

describe('what llama.cpp takes stays', () => {
	test.each<[string, Record<string, unknown>]>([
		['an empty one', {}],
		['a list of types', { type: ['string', 'null'] }],
		['tuples', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }],
		['counts', { type: 'array', items: { type: 'string', minLength: 1, maxLength: 1998 } }],
		['anchored patterns', { type: 'string', pattern: '^[A-Z]{3}-[0-9]+$' }],
		['what it ignores', { not: { const: 1 }, format: 'email', default: { type: 'x' } }],
		['references', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
		['properties that are called like keywords', inField({ properties: { pattern: {} } })],
		['closed objects', { type: 'object', additionalProperties: false, required: ['a'] }],
	])('%s', (_what, schema) => {
		expect(cleanSchema(schema)).toEqual({ schema, dropped: [] });
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
		[{ pattern: '^\\d{4}-\\d\\d$' }, { pattern: '^[0-9]{4}-[0-9][0-9]$' }],
		[{ pattern: '^[\\w.-]+@a$' }, { pattern: '^[A-Za-z0-9_.-]+@a$' }],
	])('%j', (schema, expected) => {
		expect(cleanSchema(inField(schema))).toEqual({ schema: inField(expected), dropped: [] });
	});

	test('forbidden properties are left out, and the whole gets a name where a part refers to it', () => {
		expect(cleanSchema({ properties: { a: false, b: { $ref: '#' } } })).toEqual({
			schema: {
				properties: { b: { $ref: '#/$defs/wholeSchema' } },
				$defs: { wholeSchema: { properties: { b: { $ref: '#/$defs/wholeSchema' } } } },
			},
			dropped: [],
		});
	});
});

describe('what it cannot express is left out and named', () => {
	test.each<[Record<string, unknown>, string]>([
		[{ pattern: 'ab' }, 'pattern (pattern without ^ and $)'],
		[{ pattern: '^(?=a)b$' }, 'pattern (pattern with parts that a grammar lacks)'],
		[{ minLength: 2000 }, 'minLength (more than 1998)'],
		[{ type: 'date' }, 'type (unknown type "date")'],
		[{ enum: [] }, 'enum (empty)'],
		[{ $ref: 'other.json' }, '$ref (reference to another document)'],
		[{ $ref: '#/$defs/nowhere' }, '$ref (reference that leads nowhere)'],
	])('%j', (schema, dropped) => {
		expect(cleanSchema(inField(schema))).toEqual({
			schema: inField({}),
			dropped: [`properties.a.${dropped}`],
		});
	});

	test('both, where the least is above the most: llama-server would eat memory until it dies', () => {
		const { schema, dropped } = cleanSchema({ type: 'array', minItems: 5, maxItems: 4 });
		expect([schema, dropped.length]).toEqual([{ type: 'array' }, 2]);
	});
});

test('what a pattern allows after it was rewritten, it allowed before', () => {
	const part = fc.constantFrom(
		'a',
		'\\d',
		'\\w+',
		'.',
		'[a-c]',
		'(b|c)',
		'-?',
		'[\\d.-]{2}',
		'\\.',
	);
	const parts = fc.array(part, { minLength: 1, maxLength: 5 });
	const text = fc.string({
		unit: fc.constantFrom('a', 'b', '1', '.', '-', '_', '"'),
		maxLength: 8,
	});
	fc.assert(
		fc.property(parts, text, (source, value) => {
			const pattern = `^${source.join('')}$`;
			const { schema } = cleanSchema({ pattern });
			if (typeof schema.pattern !== 'string' || !new RegExp(schema.pattern).test(value)) return;
			expect(value).toMatch(new RegExp(pattern));
		}),
	);
});

test('a cleaned schema stays as it is', () => {
	fc.assert(
		fc.property(fc.object({ key: fc.constantFrom('type', 'items', 'a', 'enum') }), (schema) => {
			const once = cleanSchema(schema).schema;
			expect(cleanSchema(once).schema).toEqual(once);
		}),
	);
});
