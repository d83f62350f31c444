import { cleanSchema } from '../../../../lib/chat/request/schema';

/** The schema of one property named `a`, cleaned. */
function cleaned(property: unknown, more: Record<string, unknown> = {}) {
	const { schema, dropped } = cleanSchema({ type: 'object', properties: { a: property }, ...more });
	return { property: (schema.properties as Record<string, unknown>).a, schema, dropped };
}

describe('schemas that llama.cpp takes', () => {
	it.each<[string, Record<string, unknown>]>([
		['an empty one', {}],
		[
			'plain properties',
			{
				type: 'object',
				properties: {
					city: { type: 'string' },
					days: { type: 'integer', minimum: 1, maximum: 14 },
				},
				required: ['city'],
				additionalProperties: false,
			},
		],
		[
			'formats, known and unknown',
			{
				type: 'object',
				properties: {
					a: { type: 'string', format: 'date-time' },
					b: { type: 'string', format: 'email' },
				},
			},
		],
		[
			'enumerations and constants of any kind',
			{ anyOf: [{ enum: ['a', 1, null, true] }, { const: { pattern: '\\d' } }] },
		],
		[
			'references and recursion',
			{
				$ref: '#/$defs/node',
				$defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
			},
		],
		[
			'old definitions',
			{
				type: 'object',
				properties: { a: { $ref: '#/definitions/x' } },
				definitions: { x: { type: 'string' } },
			},
		],
		['a list of types', { type: ['string', 'null'] }],
		['a missing type', { type: null, properties: { a: {} } }],
		['tuples', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] }],
		[
			'lists with a length',
			{
				type: 'array',
				items: { type: 'string', minLength: 1, maxLength: 2000 },
				minItems: 1,
				maxItems: 2000,
			},
		],
		['anchored patterns', { type: 'string', pattern: '^[A-Z]{3}-[0-9]+$' }],
		[
			'what is merely ignored',
			{
				type: 'object',
				not: { type: 5 },
				if: { pattern: 3 },
				then: false,
				patternProperties: { '\\d': true },
				title: 'T',
				description: 'D',
				default: {},
				examples: [{ minLength: -1 }],
			},
		],
		[
			'fractional bounds, which no grammar looks at',
			{ type: 'number', minimum: -1e300, exclusiveMaximum: true, multipleOf: 0.01 },
		],
		[
			'additional properties of a type',
			{ type: 'object', additionalProperties: { type: 'string' } },
		],
	])('leaves %s as they are', (_what, schema) => {
		const before = JSON.stringify(schema);
		const result = cleanSchema(schema);
		expect(JSON.stringify(result.schema)).toBe(before);
		expect(result.dropped).toEqual([]);
		expect(JSON.stringify(schema)).toBe(before);
	});

	it('takes properties for properties, whatever they are called', () => {
		const properties = Object.fromEntries(
			[
				'pattern',
				'type',
				'enum',
				'items',
				'minLength',
				'$ref',
				'additionalProperties',
				'properties',
				'anyOf',
				'format',
				'minimum',
			].map((name) => [name, { type: 'string' }]),
		);
		const schema = { type: 'object', properties, $defs: properties, required: ['pattern', 'type'] };
		expect(cleanSchema(schema)).toEqual({ schema, dropped: [] });
	});

	it('does not take a property named like a keyword for one when its schema is true', () => {
		expect(cleaned({ type: 'object', properties: { additionalProperties: true } })).toMatchObject({
			property: { type: 'object', properties: { additionalProperties: {} } },
			dropped: [],
		});
	});
});

describe('rewriting without loss', () => {
	it.each<[string, unknown, unknown]>([
		['true as a schema', true, {}],
		['true as the items of a list', { type: 'array', items: true }, { type: 'array', items: {} }],
		[
			'true among alternatives',
			{ anyOf: [true, { type: 'string' }] },
			{ anyOf: [{}, { type: 'string' }] },
		],
		[
			'false among alternatives',
			{ oneOf: [false, { type: 'string' }] },
			{ oneOf: [{ type: 'string' }] },
		],
		[
			'a list without items',
			{ type: 'array', items: false },
			{ type: 'array', items: {}, maxItems: 0 },
		],
		[
			'a closed tuple',
			{ type: 'array', prefixItems: [true], items: false },
			{ type: 'array', prefixItems: [{}] },
		],
		[
			'the bounds that zod 4 gives every whole number',
			{ type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
			{ type: 'integer' },
		],
		[
			'the same for a positive one',
			{ type: 'integer', exclusiveMinimum: 0, maximum: 9007199254740991 },
			{ type: 'integer', exclusiveMinimum: 0 },
		],
		[
			'the same where null is allowed',
			{ type: ['integer', 'null'], maximum: 9007199254740991 },
			{ type: ['integer', 'null'] },
		],
		[
			'shorthands in a pattern',
			{ type: 'string', pattern: '^\\d{4}$' },
			{ type: 'string', pattern: '^[0-9]{4}$' },
		],
	])('%s', (_what, property, expected) => {
		expect(cleaned(property)).toMatchObject({ property: expected, dropped: [] });
	});

	it('leaves forbidden properties out', () => {
		expect(
			cleanSchema({ type: 'object', properties: { a: false, b: { type: 'string' } } }),
		).toEqual({
			schema: { type: 'object', properties: { b: { type: 'string' } } },
			dropped: [],
		});
	});

	it('gives the whole schema a name where a part refers to it', () => {
		const { schema, dropped } = cleanSchema({
			type: 'object',
			properties: { children: { type: 'array', items: { $ref: '#' } }, x: { $ref: '#/$defs/x' } },
			$defs: { x: { type: 'string' } },
		});
		const whole = {
			type: 'object',
			properties: {
				children: { type: 'array', items: { $ref: '#/$defs/wholeSchema' } },
				x: { $ref: '#/$defs/x' },
			},
		};
		expect(schema).toEqual({ ...whole, $defs: { x: { type: 'string' }, wholeSchema: whole } });
		expect(dropped).toEqual([]);
	});
});

describe('keywords that cannot be expressed are left out and named', () => {
	it.each<[unknown, unknown, string[]]>([
		[
			{ type: 'string', pattern: 'free' },
			{ type: 'string' },
			['properties.a.pattern (pattern without ^ and $)'],
		],
		[{ type: 'string', pattern: 5 }, { type: 'string' }, ['properties.a.pattern (not a text)']],
		[
			{ type: 'string', minLength: 2001 },
			{ type: 'string' },
			['properties.a.minLength (more than 2000)'],
		],
		[
			{ type: 'string', maxLength: 100000 },
			{ type: 'string' },
			['properties.a.maxLength (more than 2000)'],
		],
		[
			{ type: 'string', minLength: -1, maxLength: 1.5 },
			{ type: 'string' },
			[
				'properties.a.minLength (not a whole number)',
				'properties.a.maxLength (not a whole number)',
			],
		],
		[
			{ type: 'array', items: {}, maxItems: 1999 },
			{ type: 'array', items: {} },
			['properties.a.maxItems (more than 1998)'],
		],
		[
			{ type: 'integer', maximum: 1e300 },
			{ type: 'integer' },
			['properties.a.maximum (out of range)'],
		],
		[
			{ type: 'integer', minimum: '1', exclusiveMaximum: true },
			{ type: 'integer' },
			['properties.a.minimum (not a number)', 'properties.a.exclusiveMaximum (not a number)'],
		],
		[{ type: 'date' }, {}, ['properties.a.type (unknown type "date")']],
		[
			{ type: ['string', 'date'] },
			{ type: ['string'] },
			['properties.a.type (unknown type ["string","date"])'],
		],
		[{ type: [] }, {}, ['properties.a.type (empty)']],
		[{ enum: [] }, {}, ['properties.a.enum (empty)']],
		[{ enum: 'x' }, {}, ['properties.a.enum (not a list)']],
		[{ anyOf: [] }, {}, ['properties.a.anyOf (empty)']],
		[{ oneOf: [false] }, {}, ['properties.a.oneOf (empty)']],
		[{ allOf: {} }, {}, ['properties.a.allOf (not a list)']],
		[{ allOf: [false] }, { allOf: [{}] }, ['properties.a.allOf[0] (nothing is allowed here)']],
		[
			{ $ref: 'https://example.com/schema' },
			{},
			['properties.a.$ref (reference to another document)'],
		],
		[{ $ref: '#/$defs/nowhere' }, {}, ['properties.a.$ref (reference that leads nowhere)']],
		[{ $ref: '#anchor' }, {}, ['properties.a.$ref (reference that leads nowhere)']],
		[{ $ref: 7 }, {}, ['properties.a.$ref (not a text)']],
		[{ type: 'string', format: 5 }, { type: 'string' }, ['properties.a.format (not a text)']],
		[
			{ type: 'object', additionalProperties: null },
			{ type: 'object' },
			['properties.a.additionalProperties (not a schema)'],
		],
		[
			{ type: 'object', properties: [] },
			{ type: 'object' },
			['properties.a.properties (not an object)'],
		],
		[
			{ type: 'array', items: 'string' },
			{ type: 'array', items: {} },
			['properties.a.items (not a schema)'],
		],
		[{ $defs: { x: 1 } }, { $defs: { x: {} } }, ['properties.a.$defs.x (not a schema)']],
	])('%j', (property, expected, dropped) => {
		expect(cleaned(property)).toMatchObject({ property: expected, dropped });
		expect(cleaned(property).property).toEqual(expected);
	});

	it('takes both out where the least is above the most: that makes llama-server eat memory until it dies', () => {
		expect(cleaned({ type: 'array', items: {}, minItems: 3, maxItems: 2 })).toMatchObject({
			property: { type: 'array', items: {} },
			dropped: [
				'properties.a.minItems (minItems above maxItems)',
				'properties.a.maxItems (minItems above maxItems)',
			],
		});
		expect(cleaned({ type: 'string', minLength: 5, maxLength: 2 }).property).toEqual({
			type: 'string',
		});
	});

	it('finds it at every depth', () => {
		const { schema, dropped } = cleanSchema({
			anyOf: [
				{
					type: 'array',
					items: [{ allOf: [{ properties: { p: { type: 'string', pattern: '^\\bx$' } } }] }],
				},
			],
			$defs: { d: { additionalProperties: { type: 'strange' } } },
			prefixItems: [{ minItems: -1 }],
		});
		expect(schema).toEqual({
			anyOf: [{ type: 'array', items: [{ allOf: [{ properties: { p: { type: 'string' } } }] }] }],
			$defs: { d: { additionalProperties: {} } },
			prefixItems: [{}],
		});
		expect(dropped).toEqual([
			'anyOf[0].items[0].allOf[0].properties.p.pattern (pattern with \\b)',
			'$defs.d.additionalProperties.type (unknown type "strange")',
			'prefixItems[0].minItems (not a whole number)',
		]);
	});

	it('does not change a cleaned schema', () => {
		const once = cleanSchema({
			type: 'object',
			properties: { a: true, b: { type: 'string', pattern: '^[^@]\\d.$' }, c: { $ref: '#' } },
		}).schema;
		expect(cleanSchema(once)).toEqual({ schema: once, dropped: [] });
	});
});

describe('references that lead back to themselves, which llama-server refuses', () => {
	const LOOP = 'reference that leads back to itself';

	it.each<[string, Record<string, unknown>, string[]]>([
		['to itself', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, ['$defs.a.$ref']],
		[
			'through another',
			{ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
			['$defs.a.$ref', '$defs.b.$ref'],
		],
		[
			'as one of the alternatives',
			{ $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'string' }] } } },
			['$defs.a.anyOf[0].$ref'],
		],
		['of the whole', { $ref: '#' }, ['$ref']],
		[
			'of the whole in a part of it',
			{ allOf: [{ $ref: '#' }, { type: 'object' }] },
			['allOf[0].$ref'],
		],
	])('%s', (_what, schema, dropped) => {
		expect(cleanSchema(schema).dropped).toEqual(dropped.map((path) => `${path} (${LOOP})`));
	});

	it('stay where a property or an item lies between', () => {
		const node = { anyOf: [{ type: 'null' }, { $ref: '#/$defs/list' }] };
		const schema = {
			$ref: '#/$defs/node',
			$defs: {
				node: { type: 'object', properties: { next: node } },
				list: { type: 'array', items: { $ref: '#/$defs/node' } },
			},
		};
		expect(cleanSchema(schema)).toEqual({ schema, dropped: [] });
	});
});
