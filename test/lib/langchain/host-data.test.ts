import fc from 'fast-check';
import { toInputMessage, toUsageMetadata } from '../../../lib/langchain/host-data';
import type { ChatResult, Usage } from '../../../lib/chat/types';
import { createRequire } from 'node:module';
import process from 'node:process';
import { examples } from '../../support/properties';

describe('messages of the host’s LangChain', () => {
	interface Messages {
		HumanMessage: new (content: unknown) => unknown;
		SystemMessage: new (content: unknown) => unknown;
		AIMessage: new (fields: object) => unknown;
		ToolMessage: new (fields: object) => unknown;
		ChatMessage: new (fields: object) => unknown;
	}
	const messages = createRequire(`${process.cwd()}/package.json`)(
		'@langchain/core/messages',
	) as Messages;

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
			{ type: 'system', content: 's' },
			{ type: 'human', content: [{ type: 'text', text: 'h' }] },
			{
				type: 'ai',
				content: 'a',
				toolCalls: [{ id: '1', name: 'f', args: { x: 1 } }],
				invalidToolCalls: [expect.objectContaining({ id: '2' })],
				reasoning: 'r',
			},
			{ type: 'ai', content: '', toolCalls: [], invalidToolCalls: [], reasoning: 'r' },
			{ type: 'ai', content: '', toolCalls: [], invalidToolCalls: [], reasoning: undefined },
			{ type: 'tool', content: 't', toolCallId: '1', name: 'f' },
			{ type: 'system', content: 'd' },
			{ type: 'human', content: 'text' },
		]);
	});

	it('are converted without a class, too', () => {
		expect(toInputMessage({ _getType: () => 'human', content: 'x' })).toMatchObject({
			type: 'human',
			content: 'x',
		});
		expect(toInputMessage({ getType: () => 'developer', content: 'x' })).toMatchObject({
			type: 'system',
			content: 'x',
		});
		expect(toInputMessage(null)).toEqual({ type: 'human', content: 'null' });
		expect(
			toInputMessage({
				getType: () => 'ai',
				content: '',
				tool_calls: [{ name: 'f', args: 'text' }, 'junk'],
			}),
		).toMatchObject({ type: 'ai', content: '', toolCalls: [{ name: 'f', args: {} }] });
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
					expect(id === undefined || typeof id === 'string').toBe(true);
				}
				for (const text of [read.reasoning, read.toolCallId, read.name])
					expect(text === undefined || typeof text === 'string').toBe(true);
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
	])('%j', (details, expected) => {
		expect(convert({ ...counts, ...details })).toEqual(expected);
	});

	it('are missing without usage', () => {
		expect(convert(undefined)).toBeUndefined();
	});
});
