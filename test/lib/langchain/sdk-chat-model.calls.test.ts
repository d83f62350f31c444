/** Messages and options of n8n's SDK: the request that is made of them, and what comes back. */
import path from 'node:path';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { HostGenerator } from '../../../lib/langchain/host-generator';
import { createSdkChatModel } from '../../../lib/langchain/sdk-chat-model';
import { expectApproved } from '../../support/approved/approved-table';
import { toShortInput, toShortTool } from '../../support/texts/messages';

interface SdkModel {
	withTools(tools: unknown[]): SdkModel;
	generate(messages: unknown[], config?: object): Promise<unknown>;
	stream(messages: unknown[], config?: object): AsyncIterable<unknown>;
}

const text = (value: string) => ({ type: 'text', text: value });
const call = (id: string, input: string) => ({
	type: 'tool-call',
	toolCallId: id,
	toolName: 'look',
	input,
});
const result = (id: string, value: unknown) => ({
	type: 'tool-result',
	toolCallId: id,
	result: value,
});

const MESSAGES: Readonly<Record<string, unknown[]>> = {
	'a question': [{ role: 'user', content: [text('Hi')] }],
	'a system message': [
		{ role: 'system', content: [text('Be kind')] },
		{ role: 'human', content: [text('Hi')] },
	],
	'an unknown role': [{ role: 'guest', content: [text('Hi')] }],
	'two calls and their results': [
		{ role: 'assistant', content: [text('I look'), call('1', '{"a":1}'), call('2', 'no JSON')] },
		{ role: 'tool', name: 'look', content: [result('1', 'one'), result('2', { b: 2 })] },
	],
	'other parts': [{ role: 'user', content: [{ type: 'reasoning', text: 'Hm' }, text('Hi')] }],
};

const OPTIONS: Readonly<Record<string, object>> = {
	stop: { stop: ['a'] },
	stopSequences: { stopSequences: ['b'] },
	both: { stop: ['a'], stopSequences: ['b'] },
	'a signal': { signal: AbortSignal.abort() },
	'an abort signal': { abortSignal: AbortSignal.abort() },
};

const tool = (name: string, description: string) => ({
	name,
	description,
	inputSchema: { type: 'object' },
});

const play = async (
	run: (model: SdkModel) => Promise<unknown>,
	toolCalls: ReadonlyArray<{ id: string; name: string; arguments: string }> = [],
) => {
	const requests: ChatRequest[] = [];
	const generate = (async (
		createRequest: () => Promise<ChatRequest>,
		onDelta?: (delta: string) => void,
	) => {
		requests.push(await createRequest());
		onDelta?.('Hel');
		onDelta?.('lo');
		return await Promise.resolve({ text: 'Hello', toolCalls });
	}) as unknown as HostGenerator;
	const sdk = {
		getParametersJsonSchema: ({ inputSchema }: { inputSchema: unknown }) => inputSchema,
	};
	const model = createSdkChatModel({ generate, modelId: 'm', sdk: sdk as never });
	const response = await run(model as unknown as SdkModel);
	const [request] = requests.map(({ signal, unusableTools: _none, messages, tools, ...more }) => ({
		messages: messages.map(toShortInput),
		tools: tools?.map(toShortTool),
		...more,
		...(signal?.aborted === true && { stopped: true }),
	}));
	return { request, response };
};

const collect = async (chunks: AsyncIterable<unknown>) => {
	const all: unknown[] = [];
	for await (const chunk of chunks) all.push(chunk);
	return all;
};

const CALLS = [
	{ id: '1', name: 'look', arguments: '{"a":1}' },
	{ id: '2', name: 'send', arguments: '{}' },
];

test('each message, option and tool becomes a part of the request', async () => {
	const question = MESSAGES['a question']!;
	const rows = [
		...Object.entries(MESSAGES).map(async ([name, messages]) => ({
			input: name,
			outcome: (await play(async (model) => await model.generate(messages))).request,
		})),
		...Object.entries(OPTIONS).map(async ([name, options]) => ({
			input: `option ${name}`,
			outcome: (await play(async (model) => await model.generate(question, options))).request,
		})),
		...[[tool('a', '1')], [tool('a', '1'), tool('b', '2')]].map(async (tools) => ({
			input: `tools ${tools.map(({ name }) => name).join(', ')}, then a again`,
			outcome: (
				await play(
					async (model) =>
						await model
							.withTools(tools)
							.withTools([tool('a', '3')])
							.generate(question),
				)
			).request,
		})),
		...[[], CALLS].flatMap((calls) => [
			(async () => ({
				input: `${String(calls.length)} calls at once`,
				outcome: (await play(async (model) => await model.generate(question), calls)).response,
			}))(),
			(async () => ({
				input: `${String(calls.length)} calls streamed`,
				outcome: (await play(async (model) => await collect(model.stream(question)), calls))
					.response,
			}))(),
		]),
	];
	expectApproved(
		path.join(__dirname, 'sdk-chat-model.calls.approved.txt'),
		await Promise.all(rows),
		"Messages and options of n8n's SDK reach the request",
	);
});
