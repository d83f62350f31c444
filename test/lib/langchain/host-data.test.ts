import fc from 'fast-check';
import {
	toGenerationInfo,
	toInputMessage,
	toUsageMetadata,
	toToolChoice,
} from '../../../lib/langchain/host-data';
import type { ChatResult, Usage } from '../../../lib/chat/chat-result';
import { fromRoot } from '../../support/n8n/chat-model';
import { readTool } from '../../support/n8n/tools';
import type { ToJsonSchema } from '../../support/n8n/tools';
import { examples } from '../../support/jest/properties';

describe('messages of the host’s LangChain', () => {
	interface Messages {
		HumanMessage: new (content: unknown) => unknown;
		SystemMessage: new (content: unknown) => unknown;
		AIMessage: new (fields: object) => unknown;
		ToolMessage: new (fields: object) => unknown;
		ChatMessage: new (fields: object) => unknown;
	}
	const messages = fromRoot('@langchain/core/messages') as Messages;

	it('are converted by their shape', () => {
		const { HumanMessage, SystemMessage, AIMessage, ToolMessage, ChatMessage: Generic } = messages;
		expect(
			[
				new SystemMessage('s'),
				new HumanMessage([{ type: 'text', text: 'h' }]),
				new AIMessage({
					content: 'a',
					tool_calls: [{ id: '1', name: 'f', args: { x: 1 }, type: 'tool_call' }],
					invalid_tool_calls: [{ id: '2', name: 'f', args: '{' }],
					additional_kwargs: { reasoning_content: 'r' },
				}),
				new AIMessage({ content: '', additional_kwargs: { reasoning: 'r' } }),
				new AIMessage({ content: '', additional_kwargs: { reasoning: { effort: 'low' } } }),
				new ToolMessage({ content: 't', tool_call_id: '1', name: 'f' }),
				new Generic({ role: 'developer', content: 'd' }),
				'text',
			].map(toInputMessage),
		).toMatchObject([
			{ type: 'system', content: [{ block: 's', origin: 'foreign' }] },
			{ type: 'human', content: [{ block: { type: 'text', text: 'h' }, origin: 'user' }] },
			{
				type: 'ai',
				content: [{ block: 'a', origin: 'model' }],
				toolCalls: [{ id: '1', name: 'f', args: { x: 1 } }],
				invalidToolCalls: [expect.objectContaining({ id: '2' })],
				reasoning: 'r',
			},
			{ type: 'ai', content: [{ block: '' }], toolCalls: [], invalidToolCalls: [], reasoning: 'r' },
			{
				type: 'ai',
				content: [{ block: '' }],
				toolCalls: [],
				invalidToolCalls: [],
				reasoning: undefined,
			},
			{
				type: 'tool',
				content: [{ block: 't', origin: 'foreign' }],
				toolCallId: '1',
				name: 'f',
			},
			{ type: 'system', content: [{ block: 'd', origin: 'foreign' }] },
			{ type: 'human', content: [{ block: 'text', origin: 'user' }] },
		]);
	});

	it('are converted without a class, too', () => {
		expect(toInputMessage({ _getType: () => 'human', content: 'x' })).toMatchObject({
			type: 'human',
			content: [{ block: 'x', origin: 'user' }],
		});
		expect(toInputMessage({ getType: () => 'developer', content: 'x' })).toMatchObject({
			type: 'system',
			content: [{ block: 'x', origin: 'foreign' }],
		});
		expect(toInputMessage(null)).toEqual({
			type: 'human',
			content: [{ block: 'null', origin: 'user' }],
		});
		expect(
			toInputMessage({
				getType: () => 'ai',
				content: '',
				tool_calls: [{ name: 'f', args: 'text' }, 'junk'],
			}),
		).toMatchObject({ type: 'ai', content: [{ block: '' }], toolCalls: [{ name: 'f', args: {} }] });
	});

	it('of any shape have a valid type, and every tool call has a name and an object of arguments', () => {
		const message = fc.record(
			{
				getType: fc
					.constantFrom('human', 'ai', 'tool', 'system', 'function', 'remove')
					.map((type) => () => type),
				content: fc.jsonValue(),
				role: fc.jsonValue(),
				name: fc.jsonValue(),
				tool_call_id: fc.jsonValue(),
				tool_calls: fc.oneof(
					fc.jsonValue(),
					fc.array(fc.record({ id: fc.jsonValue(), args: fc.jsonValue() })),
				),
				invalid_tool_calls: fc.jsonValue(),
				additional_kwargs: fc.jsonValue(),
			},
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(fc.oneof(message, fc.jsonValue()), (given) => {
				const read = toInputMessage(given);
				expect(['human', 'system', 'ai', 'tool']).toContain(read.type);
				for (const { id, name, args } of read.toolCalls ?? []) {
					expect([typeof name, typeof args]).toEqual(['string', 'object']);
					expect(id ?? '').toEqual(expect.any(String));
				}
				for (const text of [read.reasoning, read.toolCallId, read.name])
					expect(text ?? '').toEqual(expect.any(String));
			}),
			examples(200),
		);
	});
});

describe('token counts with LangChain’s names', () => {
	const counts = { promptTokens: 9, completionTokens: 5, totalTokens: 14 };
	const convert = (usage: Usage | undefined) => toUsageMetadata({ usage } as ChatResult);
	const basic = { input_tokens: 9, output_tokens: 5, total_tokens: 14 };

	it.each<[Partial<Usage>, object]>([
		[{}, basic],
		[{ cachedTokens: 0 }, { ...basic, input_token_details: { cache_read: 0 } }],
		[
			{ cachedTokens: 7, reasoningTokens: 3 },
			{
				...basic,
				input_token_details: { cache_read: 7 },
				output_token_details: { reasoning: 3 },
			},
		],
	])('the usage with LangChain’s names: %j', (details, expected) => {
		expect(convert({ ...counts, ...details })).toEqual(expected);
	});

	it.each([
		{ ofUsage: 7, ofTimings: undefined, cachedTokens: 7 },
		{ ofUsage: undefined, ofTimings: 5, cachedTokens: 5 },
		{ ofUsage: 7, ofTimings: 5, cachedTokens: 7 },
		{ ofUsage: 0, ofTimings: 5, cachedTokens: 0 },
		{ ofUsage: undefined, ofTimings: undefined, cachedTokens: undefined },
	])(
		'cached tokens in the log: $ofUsage and $ofTimings',
		({ ofUsage, ofTimings, cachedTokens }) => {
			const usage = { ...counts, ...(ofUsage !== undefined && { cachedTokens: ofUsage }) };
			const timings = ofTimings === undefined ? {} : { cache_n: ofTimings };
			const result = {
				usage,
				timings,
				reasoning: '',
				toolCalls: [],
				firstTokenMs: 1,
				totalMs: 2,
			} as unknown as ChatResult;
			expect({ cachedTokens: toGenerationInfo(result).cachedTokens }).toEqual({ cachedTokens });
		},
	);

	it('are missing without usage', () => {
		expect(convert(undefined)).toBeUndefined();
	});
});

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
const define = (tool: unknown) => readTool(tool, getParametersJsonSchema);

describe('the name of a tool without the prefix of its MCP client', () => {
	interface Case {
		what: string;
		name: string;
		metadata: unknown;
	}

	const shortNames = (name: string, metadata: unknown) => [
		define({ name, schema: {}, metadata }).shortName,
		define({ type: 'function', function: { name, parameters: {} }, metadata }).shortName,
	];
	it.each<Case & { shortName: string }>([
		{
			what: 'a tool of the node',
			name: 'Notes_delete_user',
			metadata: { sourceNodeName: 'Notes' },
			shortName: 'delete_user',
		},
		{
			what: 'a tool as n8n 2.20 and 2.41 mark it',
			name: 'Notes_a',
			metadata: { sourceNodeName: 'Notes', isFromToolkit: true },
			shortName: 'a',
		},
		{
			what: 'a prefix with other characters as _',
			name: 'My_Notes__2__a.b',
			metadata: { sourceNodeName: 'My Notes (2)' },
			shortName: 'a.b',
		},
		{
			what: 'a prefix with letters of other scripts as _',
			name: '____é',
			metadata: { sourceNodeName: '笔记本' },
			shortName: 'é',
		},
		{
			what: 'a tool behind an approval',
			name: 'Notes_delete',
			metadata: { sourceNodeName: 'Approve', gatedToolNodeName: 'Notes' },
			shortName: 'delete',
		},
		{
			what: 'a prefix that was cut',
			name: 'A_very_long_name_of_a_node__which_n8n_has_to_cut_to_make__delete',
			metadata: {
				sourceNodeName: 'A very long name of a node, which n8n has to cut to make it fit in 64',
			},
			shortName: 'delete',
		},
		{
			what: 'a name of 64 characters, uncut',
			name: 'Notes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
			metadata: { sourceNodeName: 'Notes' },
			shortName: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
		},
	])('$what: the short name of $name is $shortName', ({ name, metadata, shortName }) => {
		expect(shortNames(name, metadata)).toEqual([shortName, shortName]);
	});

	it.each<Case>([
		{ what: 'no metadata', name: 'Notes_delete', metadata: undefined },
		{
			what: 'other metadata',
			name: 'Notes_delete',
			metadata: { sourceNodeName: 7, gatedToolNodeName: ['Notes'] },
		},
		{ what: 'another node', name: 'Notes_delete', metadata: { sourceNodeName: 'Note' } },
		{
			what: 'the node of the approval',
			name: 'Approve_x',
			metadata: { sourceNodeName: 'Approve', gatedToolNodeName: 'Notes' },
		},
		{ what: 'another case', name: 'notes_delete', metadata: { sourceNodeName: 'Notes' } },
		{
			what: 'a tool that is no part of a toolkit',
			name: 'send_mail',
			metadata: { sourceNodeName: 'send', isFromToolkit: false },
		},
		{
			what: 'an underscore before the name',
			name: 'Notes__delete',
			metadata: { sourceNodeName: 'Notes' },
		},
		{ what: 'the prefix alone', name: 'Notes_', metadata: { sourceNodeName: 'Notes' } },
		{ what: 'the name of the node', name: 'Notes', metadata: { sourceNodeName: 'Notes' } },
		{
			what: 'a name that n8n left without a prefix',
			name: 'Notes_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
			metadata: { sourceNodeName: 'Notes' },
		},
		{
			what: 'a cut prefix that n8n would not have cut',
			name: 'Not_delete',
			metadata: { sourceNodeName: 'Notes' },
		},
	])('$what: $name has no short name', ({ name, metadata }) => {
		expect(shortNames(name, metadata)).toEqual([undefined, undefined]);
	});
});

describe('tools as definitions', () => {
	it('LangChain’s tools with a zod schema', () => {
		const { schema, ...rest } = define({
			name: 'get_weather',
			description: 'Weather',
			schema: z.object({ city: z.string().describe('A city'), days: z.number().int() }),
		});
		expect(rest).toEqual({ name: 'get_weather', description: 'Weather', origin: 'foreign' });
		expect(schema).toMatchObject({
			type: 'object',
			properties: { city: { type: 'string', description: 'A city' }, days: { type: 'integer' } },
			required: ['city', 'days'],
		});
		expect(schema).not.toHaveProperty('$schema');
	});

	describe('a schema of another copy of zod, or of something else, is read by its shape', () => {
		type Zod = Record<
			string,
			(...given: unknown[]) => Record<string, (...more: unknown[]) => never>
		>;
		const read = (schema: unknown) => readTool({ name: 'f', schema }).schema;
		const both: Array<[string, Zod]> = [
			['zod 3', fromRoot('zod/v3') as Zod],
			['zod 4', fromRoot('zod/v4') as Zod],
			['zod 4 mini', fromRoot('zod/v4-mini') as Zod],
		];

		it.each(both.slice(0, 2))(
			'%s; what is no object, list, choice or single value may be anything',
			(_name, zod) => {
				const optionalNode: unknown = (zod.lazy!(() => zod.any!()) as ReturnType<Zod[string]>)
					.optional!();
				const shape = {
					city: zod.string!().min!(1),
					days: (zod.number!().int!() as ReturnType<Zod[string]>).describe!('How many'),
					unit: (zod.enum!(['c', 'f']) as ReturnType<Zod[string]>).default!('c'),
					tags: zod.array!(zod.object!({ isNew: zod.boolean!().nullable!() })),
					one: zod.union!([zod.literal!('a'), zod.boolean!()]),
					tree: optionalNode,
				};
				expect(read(zod.object!(shape))).toEqual({
					type: 'object',
					properties: {
						city: { type: 'string' },
						days: { type: 'number', description: 'How many' },
						unit: { enum: ['c', 'f'] },
						tags: {
							type: 'array',
							items: {
								type: 'object',
								properties: { isNew: { type: 'boolean' } },
								required: ['isNew'],
							},
						},
						one: {},
						tree: {},
					},
					required: ['city', 'days', 'tags', 'one'],
				});
			},
		);

		it.each(both)('the smallest of %s', (_name, zod) => {
			const parameters = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
			expect(read(zod.object!({ a: zod.string!() }))).toEqual(parameters);
		});

		it('zod 3 with a brand, which changes nothing', () => {
			const zod = fromRoot('zod/v3') as Zod;
			const branded = (zod.string!() as ReturnType<Zod[string]>).brand!('Town') as object;
			expect(read(zod.object!({ a: branded }))).toEqual({
				type: 'object',
				properties: { a: { type: 'string' } },
				required: ['a'],
			});
		});

		it('Standard Schema that gives JSON schema, and one that does not', () => {
			const json = { type: 'object', properties: { a: { type: 'number' } } };
			const standard = { version: 1, vendor: 'valibot', validate: () => ({}) };
			expect(read({ '~standard': { ...standard, jsonSchema: { input: () => json } } })).toEqual(
				json,
			);
			expect(read({ toJSONSchema: () => json })).toEqual(json);
		});
	});

	it("tools with a JSON schema, without its $schema, which stays in the tool's own", () => {
		const schema = {
			$schema: 'http://json-schema.org/draft-07/schema#',
			type: 'object',
			properties: { a: {} },
		};
		const before = structuredClone(schema);
		const parameters = { type: 'object', properties: { a: {} } };
		const expected = { name: 'f', schema: parameters, origin: 'foreign' };
		expect(define({ name: 'f', description: '', schema })).toEqual(expected);
		const openAi = { type: 'function', function: { name: 'f', parameters: schema } };
		expect(define(openAi)).toEqual(expected);
		expect(schema).toEqual(before);
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
			schema: { type: 'object', properties: {} },
			origin: 'foreign',
		});
		expect(define({ type: 'function', function: { name: 'f' } })).toEqual({
			name: 'f',
			schema: { type: 'object', properties: {} },
			origin: 'foreign',
		});
	});

	it.each([
		[null],
		['get_weather'],
		[{ type: 'function' }],
		[{ description: 'no name' }],
		[{ type: 'web_search_20250305', name: 'web_search' }],
	])('%j is not a tool', (tool) => {
		expect(() => define(tool)).toThrow('An object bound to the model is not a tool');
	});
});

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
])('the choice of a tool: %j means %j', (given, expected) => {
	expect(toToolChoice(given)).toEqual(expected);
});
