/**
 * The simulator in cases 62 to 83 of docs/protocols/llama-server.md: thinking and tools. Tests are numbered by case.
 */
import { CHAT, chunksOf, errorOf, HI, jsonOf, type WireDelta } from '../support/chat-wire';
import { type RawAnswer, rawAsk } from '../support/raw-client';
import {
	type Delta,
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
	type ToolCallDelta,
} from './llama-server';
import { useSimulator } from './use-simulator';

const startServer = useSimulator(startLlamaServerSim);

let server: LlamaServerSim;
const start = async (options: SimOptions = {}): Promise<void> => {
	server = await startServer(options);
};
const post = async (
	path: string,
	body: unknown,
	headers?: Record<string, string>,
): Promise<RawAnswer> => await rawAsk(server.url, { path, body, headers });
const chat = async (fields: object = {}, headers?: Record<string, string>): Promise<RawAnswer> =>
	await post(CHAT, { messages: HI, ...fields }, headers);
const WEATHER = {
	type: 'function',
	function: {
		name: 'get_weather',
		parameters: {
			type: 'object',
			properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 } },
		},
	},
};

const deltas = async (fields: object = {}): Promise<WireDelta[]> =>
	chunksOf(await chat({ stream: true, ...fields })).map(({ choices }) => choices[0]?.delta ?? {});
const calls = async (): Promise<ToolCallDelta[]> =>
	(await deltas()).flatMap(({ tool_calls: list }) => list ?? []);
/** Arguments by index, in order of arrival. */
const joined = (list: ToolCallDelta[]): Record<number, string> => {
	const byIndex: Record<number, string> = {};
	for (const { index = 0, function: call } of list) {
		byIndex[index] = (byIndex[index] ?? '') + ((call?.arguments as string | undefined) ?? '');
	}
	return byIndex;
};
const ROME = { name: 'get_weather', arguments: { city: 'Rome' } };
const OSLO = { name: 'get_weather', arguments: { city: 'Oslo' } };

describe('thinking and tools', () => {
	beforeEach(async () => {
		await start();
	});

	test('62. thinking deltas, then content', async () => {
		server.script(reply.reasoning('need it\n', 'Hello'));
		expect((await deltas()).slice(1)).toEqual([
			{ reasoning_content: 'need' },
			{ reasoning_content: ' it' },
			{ reasoning_content: '\n' },
			{ content: 'Hello' },
			{},
		]);
		server.script(reply.reasoning('need it\n', 'Hello'));
		expect(jsonOf(await chat())).toMatchObject({
			choices: [
				{ message: { role: 'assistant', content: 'Hello', reasoning_content: 'need it\n' } },
			],
		});
	});

	test.each(['ollama', 'vllm'] as const)('63. %s calls it reasoning', async (profile) => {
		const other = await startServer({ profile });
		other.script(reply.reasoning('need', 'Hello'), reply.reasoning('need', 'Hello'));
		const body = { model: 'sim-model', messages: HI };
		const streamed = await rawAsk(other.url, { path: CHAT, body: { ...body, stream: true } });
		const whole = await rawAsk(other.url, { path: CHAT, body });
		await other.close();
		expect(chunksOf(streamed).map(({ choices }) => choices[0]!.delta)).toEqual([
			{ role: 'assistant', content: '' },
			{ reasoning: 'need' },
			{ content: 'Hello' },
			{},
		]);
		expect(jsonOf(whole)).toMatchObject({
			choices: [{ message: { content: 'Hello', reasoning: 'need' } }],
		});
	});

	test('64. raw tags in the content, split anywhere', async () => {
		server.script(reply.chunks(['<th', 'ink>so', '</', 'think>\n\nHello']));
		expect((await deltas()).map(({ content }) => content ?? '').join('')).toBe(
			'<think>so</think>\n\nHello',
		);
	});

	test('65. nothing but thinking', async () => {
		server.script(reply.reasoning('on and on', '', { finish: 'length' }));
		const answer = await chat({ stream: true });
		const chunks = chunksOf(answer);
		expect(chunks.some(({ choices }) => choices[0]!.delta.content)).toBe(false);
		expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('length');
	});

	test('66. arguments a character at a time', async () => {
		const args = '{"text": "Grüß \\"dich\\""}';
		server.script(reply.toolCalls([{ name: 'say', arguments: args }], { style: 'characters' }));
		const list = await calls();
		expect(list).toHaveLength([...args].length);
		expect(list[0]).toMatchObject({
			index: 0,
			type: 'function',
			function: { name: 'say', arguments: '{' },
		});
		expect(list[0]!.id).toMatch(/^\w{32}$/);
		expect(list[1]).toEqual({ index: 0, function: { arguments: '"' } });
		expect(joined(list)).toEqual({ 0: args });
	});

	test('67. a first delta without arguments', async () => {
		server.script(reply.toolCalls([ROME], { style: 'late-arguments' }));
		const list = await calls();
		expect(list[0]!.function).toEqual({ name: 'get_weather' });
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}' });
	});

	test('68. two calls, one after the other', async () => {
		server.script(reply.toolCalls([ROME, OSLO]));
		const list = await calls();
		expect(list.map(({ index }) => index)).toEqual([...list.map(({ index }) => index)].sort());
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}', 1: '{"city":"Oslo"}' });
		expect(new Set(list.flatMap(({ id }) => id ?? [])).size).toBe(2);
	});

	test('69. two calls, interleaved', async () => {
		server.script(reply.toolCalls([ROME, OSLO], { style: 'interleaved' }));
		const list = await calls();
		expect(list.slice(0, 4).map(({ index }) => index)).toEqual([0, 1, 0, 1]);
		expect(joined(list)).toEqual({ 0: '{"city":"Rome"}', 1: '{"city":"Oslo"}' });
	});

	test('70. and 71. ids repeated or empty, a name sent twice: whatever is scripted', async () => {
		const pieces: ToolCallDelta[] = [
			{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{' } },
			{ index: 0, id: '', function: { name: 'f', arguments: '}' } },
		];
		server.script(reply.chunks(pieces.map((piece) => ({ tool_calls: [piece] }))));
		expect(await calls()).toEqual(pieces);
	});

	test('72. whole calls in one delta: as scripted, and always from Ollama', async () => {
		server.script(reply.toolCalls([ROME, OSLO], { style: 'whole' }));
		expect((await deltas()).flatMap(({ tool_calls: list }) => (list ? [list.length] : []))).toEqual(
			[2],
		);
		const ollama = await startServer({ profile: 'ollama' });
		ollama.script(reply.toolCalls([ROME, OSLO]));
		const body = { model: 'sim-model', messages: HI, tools: [WEATHER], stream: true };
		const answer = await rawAsk(ollama.url, { path: CHAT, body });
		await ollama.close();
		const [, delta, finish] = chunksOf(answer);
		expect(delta!.choices[0]!.delta.tool_calls).toMatchObject([
			{ index: 0, function: { arguments: '{"city":"Rome"}' } },
			{ index: 1, function: { arguments: '{"city":"Oslo"}' } },
		]);
		expect(finish!.choices[0]).toEqual({ index: 0, delta: {}, finish_reason: 'tool_calls' });
	});

	test('73. no id, or the same one twice', async () => {
		server.script(
			reply.toolCalls([{ ...ROME, id: null }]),
			reply.toolCalls([
				{ ...ROME, id: 'x' },
				{ ...OSLO, id: 'x' },
			]),
		);
		expect((await calls())[0]).not.toHaveProperty('id');
		expect((await calls()).flatMap(({ id }) => id ?? [])).toEqual(['x', 'x']);
	});

	test('74. text before the call', async () => {
		server.script(reply.toolCalls([ROME], { text: 'Let me check.\n' }));
		const list = await deltas();
		expect(list[1]).toEqual({ content: 'Let me check.\n' });
		expect(list[2]!.tool_calls).toBeDefined();
	});

	test('75. and 76. cut by the limit, or finished with "stop" although there are calls', async () => {
		server.script(
			reply.toolCalls([{ name: 'f', arguments: '{"city": "Ro' }], { finish: 'length' }),
			reply.toolCalls([ROME], { finish: 'stop' }),
		);
		const finish = async (): Promise<string | null> =>
			chunksOf(await chat({ stream: true })).at(-1)!.choices[0]!.finish_reason;
		expect([await finish(), await finish()]).toEqual(['length', 'stop']);
	});

	test('77. and 78. arguments empty, missing, or an object', async () => {
		server.script(
			reply.toolCalls([{ name: 'f', arguments: '' }]),
			reply.chunks([{ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] }]),
			reply.chunks([
				{
					tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: { city: 'Rome' } } }],
				},
			]),
		);
		expect((await calls())[0]!.function).toEqual({ name: 'f' });
		expect((await calls())[0]!.function).toEqual({ name: 'f' });
		expect((await calls())[0]!.function!.arguments).toEqual({ city: 'Rome' });
	});

	test('79. a named tool_choice is taken for auto; "required" calls', async () => {
		const named = { type: 'function', function: { name: 'get_weather' } };
		const auto = jsonOf(await chat({ tools: [WEATHER], tool_choice: named }));
		expect(auto).toMatchObject({
			choices: [{ finish_reason: 'stop', message: { content: 'You said: Hi' } }],
		});
		const required = jsonOf(await chat({ tools: [WEATHER], tool_choice: 'required' }));
		expect(required).toMatchObject({
			choices: [
				{
					finish_reason: 'tool_calls',
					message: {
						content: '',
						tool_calls: [
							{
								type: 'function',
								function: { name: 'get_weather', arguments: '{"city":"text","days":3}' },
							},
						],
					},
				},
			],
		});
	});

	test('80. invalid arguments in the history', async () => {
		const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"city": "Ro' } };
		const messages = [
			...HI,
			{ role: 'assistant', tool_calls: [call] },
			{ role: 'tool', tool_call_id: 'a', content: '' },
		];
		const answer = await chat({ messages });
		expect(answer.status).toBe(500);
		expect(errorOf(answer).message).toMatch(
			/^Failed to parse tool call arguments as JSON: \[json\.exception/,
		);
	});

	test('81. a template that wants ids of nine alphanumerics', async () => {
		const strict = await startServer({ template: 'strict' });
		const ask = async (id: string): Promise<number> => {
			const call = { id, type: 'function', function: { name: 'f', arguments: '{}' } };
			const messages = [
				...HI,
				{ role: 'assistant', tool_calls: [call] },
				{ role: 'tool', tool_call_id: id, content: '1' },
			];
			return (await rawAsk(strict.url, { path: CHAT, body: { messages } })).status;
		};
		expect([await ask('call_123'), await ask('abcDEF123')]).toEqual([400, 200]);
		await strict.close();
	});

	test('82. a schema counts where it belongs, and nowhere else', async () => {
		const schema = { type: 'object', properties: { city: { type: 'string' } } };
		const said = async (format: object): Promise<unknown> => {
			const { choices } = jsonOf(await chat({ response_format: format })) as {
				choices: Array<{ message: Delta }>;
			};
			return JSON.parse(choices[0]!.message.content ?? '');
		};
		expect(await said({ type: 'json_schema', json_schema: { name: 'x', schema } })).toEqual({
			city: 'text',
		});
		expect(await said({ type: 'json_object', schema })).toEqual({ city: 'text' });
		expect(await said({ type: 'json_schema', schema })).toEqual({});
	});

	test('83. markup in the content', async () => {
		const markup = '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>';
		server.script(reply.text(markup));
		const list = await deltas({ tools: [WEATHER], tool_choice: 'none' });
		expect(list.map(({ content }) => content ?? '').join('')).toBe(markup);
		expect(list.some(({ tool_calls: found }) => found)).toBe(false);
	});
});
