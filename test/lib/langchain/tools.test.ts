import { toolChoiceOf, toolDefinition } from '../../../lib/langchain/tools';
import { createRequire, process } from '../../support/node';

type ToJsonSchema = Parameters<typeof toolDefinition>[1];

const fromRoot = createRequire(`${process.cwd()}/package.json`);
const { getParametersJsonSchema } = fromRoot('@n8n/ai-node-sdk') as { getParametersJsonSchema: ToJsonSchema };
const { z } = fromRoot('zod') as {
	z: { object(shape: object): unknown; string(): { describe(text: string): unknown }; number(): { int(): unknown } };
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

	it('tools with a JSON schema', () => {
		expect(
			define({
				name: 'f',
				description: '',
				schema: { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { a: {} } },
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
