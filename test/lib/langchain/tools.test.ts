import { toolChoiceOf, toolDefinition } from '../../../lib/langchain/tools';
import { createRequire, process } from '../../support/node';

type ToJsonSchema = Parameters<typeof toolDefinition>[1];

const fromRoot = createRequire(`${process.cwd()}/package.json`);
const { getParametersJsonSchema } = fromRoot('@n8n/ai-node-sdk') as {
	getParametersJsonSchema: ToJsonSchema;
};
const { z } = fromRoot('zod') as {
	z: {
		object(shape: object): unknown;
		string(): { describe(text: string): unknown };
		number(): { int(): unknown };
	};
};
const define = (tool: unknown) => toolDefinition(tool, getParametersJsonSchema);

describe('tools as definitions', () => {
	it('LangChain’s tools with a zod schema', () => {
		const { parameters, ...rest } = define({
			name: 'get_weather',
			description: 'Weather',
			schema: z.object({ city: z.string().describe('A city'), days: z.number().int() }),
		});
		expect(rest).toEqual({ name: 'get_weather', description: 'Weather' });
		expect(parameters).toMatchObject({
			type: 'object',
			properties: { city: { type: 'string', description: 'A city' }, days: { type: 'integer' } },
			required: ['city', 'days'],
		});
		expect(parameters).not.toHaveProperty('$schema');
	});

	describe('a schema of another copy of zod, or of something else, is read by its shape', () => {
		type Zod = Record<
			string,
			(...given: unknown[]) => Record<string, (...more: unknown[]) => never>
		>;
		const foreign = (tool: { inputSchema?: unknown }) => tool.inputSchema;
		const read = (schema: unknown) =>
			toolDefinition({ name: 'f', schema }, foreign as ToJsonSchema).parameters;
		const both: Array<[string, Zod]> = [
			['zod 3', fromRoot('zod/v3') as Zod],
			['zod 4', fromRoot('zod/v4') as Zod],
			['zod 4 mini', fromRoot('zod/v4-mini') as Zod],
		];

		it.each(both.slice(0, 2))('%s', (name, zod) => {
			const node: unknown = zod.object!({ child: zod.lazy!(() => node).optional!() });
			const shape = {
				city: zod.string!().min!(1),
				days: (zod.number!().int!() as ReturnType<Zod[string]>).describe!('How many'),
				unit: (zod.enum!(['c', 'f']) as ReturnType<Zod[string]>).default!('c'),
				tags: zod.array!(zod.string!()),
				when: zod.date!().nullable!(),
				one: zod.union!([zod.literal!('a'), zod.boolean!()]),
				map:
					name === 'zod 3' ? zod.record!(zod.number!()) : zod.record!(zod.string!(), zod.number!()),
				pair: zod.tuple!([zod.string!(), zod.number!()]),
				both: zod.intersection!(
					zod.object!({ a: zod.any!() }),
					zod.object!({ b: zod.unknown!() }).strict!(),
				),
				seen: zod.string!().transform!(() => 1),
				before: zod.preprocess!((given: unknown) => given, zod.string!()),
				tree: node,
				kind: zod.discriminatedUnion!('type', [zod.object!({ type: zod.literal!('x') })]),
			};
			expect(read(zod.object!(shape))).toEqual({
				type: 'object',
				properties: {
					city: { type: 'string' },
					days: { type: 'integer', description: 'How many' },
					unit: { enum: ['c', 'f'] },
					tags: { type: 'array', items: { type: 'string' } },
					when: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
					one: { anyOf: [{ enum: ['a'] }, { type: 'boolean' }] },
					map: { type: 'object', additionalProperties: { type: 'number' } },
					pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
					both: {
						allOf: [
							expect.objectContaining({ properties: { a: {} } }) as object,
							expect.objectContaining({
								properties: { b: {} },
								additionalProperties: false,
							}) as object,
						],
					},
					seen: { type: 'string' },
					before: { type: 'string' },
					tree: { type: 'object', properties: { child: {} } },
					kind: {
						anyOf: [{ type: 'object', properties: { type: { enum: ['x'] } }, required: ['type'] }],
					},
				},
				required: Object.keys(shape).filter((key) => key !== 'unit'),
			});
		});

		it.each(both)('the smallest of %s', (_name, zod) => {
			const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
			expect(read(zod.object!({ a: zod.string!() }))).toEqual(parameters);
		});

		it('Standard Schema that gives JSON schema, and one that does not', () => {
			const json = { type: 'object', properties: { a: { type: 'number' } } };
			const standard = { version: 1, vendor: 'valibot', validate: () => ({}) };
			expect(read({ '~standard': { ...standard, jsonSchema: { input: () => json } } })).toEqual(
				json,
			);
			expect(read({ toJSONSchema: () => json })).toEqual(json);
			expect(() => read({ '~standard': standard, kind: 'schema' })).toThrow(
				'The arguments of the tool "f" cannot be read',
			);
		});

		it.each([
			[() => 1],
			['text'],
			[[]],
			[{ parse: () => 1 }],
			[{ _def: { typeName: 'ZodSymbol' } }],
		])('%p is an error in words', (schema) => {
			expect(() => read(schema)).toThrow('The arguments of the tool "f" cannot be read');
		});
	});

	it('tools with a JSON schema', () => {
		expect(
			define({
				name: 'f',
				description: '',
				schema: {
					$schema: 'http://json-schema.org/draft-07/schema#',
					type: 'object',
					properties: { a: {} },
				},
			}),
		).toEqual({
			name: 'f',
			parameters: { type: 'object', properties: { a: {} } },
		});
	});

	it('OpenAI’s form', () => {
		expect(
			define({
				type: 'function',
				function: { name: 'f', description: 'F', parameters: { type: 'object', properties: {} } },
			}),
		).toEqual({
			name: 'f',
			description: 'F',
			parameters: { type: 'object', properties: {} },
		});
		expect(define({ type: 'function', function: { name: 'f' } })).toEqual({
			name: 'f',
			parameters: { type: 'object', properties: {} },
		});
	});

	it.each([
		[null],
		['get_weather'],
		[{ type: 'function' }],
		[{ description: 'no name' }],
		[{ type: 'web_search_20250305', name: 'web_search' }],
	])('%j is no tool', (tool) => {
		expect(() => define(tool)).toThrow('Something was bound to the model that is not a tool');
	});
});

describe('the choice of a tool', () => {
	it.each([
		[undefined, undefined],
		[null, undefined],
		['any', 'required'],
		[true, 'required'],
		['auto', 'auto'],
		['none', 'none'],
		['required', 'required'],
		['get_weather', { name: 'get_weather' }],
		[{ type: 'function', function: { name: 'get_weather' } }, { name: 'get_weather' }],
		[{ type: 'tool', name: 'get_weather' }, { name: 'get_weather' }],
		[{ type: 'auto' }, undefined],
		[false, undefined],
	])('%j means %j', (given, expected) => {
		expect(toolChoiceOf(given)).toEqual(expected);
	});
});
