/** A model's mistake is not the end of the run. */
import { forgetAll } from '../../../lib/kept';
import { reply } from '../../simulators/llama-server';
import { collect, HumanMessage, openAiTool, useChatModel } from '../../support/n8n/chat-model';
import type { Model } from '../../support/n8n/chat-model';

const { server, supplied, chatRequests } = useChatModel();
beforeEach(forgetAll);

const WEATHER = openAiTool('get_weather', { city: { type: 'string' } }, { required: ['city'] });

interface Answer {
	content: unknown;
	tool_calls: Array<{ id: string; name: string; args: unknown }>;
	usage_metadata?: { input_tokens: number };
}

async function invokeModel(model: Model, tools: unknown[], text = 'Hi'): Promise<Answer> {
	const bound = tools.length > 0 ? model.bindTools(tools) : model;
	return (await bound.invoke([new HumanMessage(text)])) as unknown as Answer;
}

const call = (name: string, args = '{}') => reply.toolCalls([{ name, arguments: args }]);
const lastOf = (body: { messages: Array<Record<string, unknown>> }, at = -1) =>
	body.messages.at(at)!;

describe('a wrong call is reported to the model, which calls again', () => {
	test.each([
		['an invented tool', call('weather_lookup'), /no tool \\?"weather_lookup\\?".*get_weather/],
		[
			'arguments that are no JSON',
			call('get_weather', '{"city":Rome}'),
			/not valid JSON: "\{\\"city\\":Rome\}"/,
		],
		['a missing argument', call('get_weather', '{}'), /is missing required arguments: city/],
	])('a wrong call is reported to the model, which calls again: %s', async (_what, wrong, told) => {
		server().script(wrong, call('get_weather', '{"city":"Rome"}'));
		const { model, outputs } = await supplied();
		const { tool_calls: calls } = await invokeModel(model, [WEATHER]);
		expect(calls).toEqual([
			expect.objectContaining({ name: 'get_weather', args: { city: 'Rome' } }),
		]);
		const [, second] = chatRequests();
		expect(lastOf(second!)).toMatchObject({ role: 'tool', content: expect.stringMatching(told) });
		expect(JSON.stringify(outputs)).toContain('"corrections":1');
	});

	test('a broken call without connected tools is an error without a correction', async () => {
		server().script(call('get_weather', '{"city":Rome}'));
		const { model } = await supplied();
		await expect(invokeModel(model, [])).rejects.toThrow();
		expect(chatRequests()).toHaveLength(1);
	});

	test('at most twice: then it is an error', async () => {
		server().script(...Array.from({ length: 4 }, () => call('weather_lookup')));
		const { model } = await supplied();
		await expect(invokeModel(model, [WEATHER])).rejects.toThrow(
			'"weather_lookup", which is not connected',
		);
		expect(chatRequests()).toHaveLength(3);
	});

	test('streamed text stays, and the next response follows in a new paragraph', async () => {
		server().script(
			reply.toolCalls([{ name: 'nothing', arguments: '{}' }], { text: 'Let me see.' }),
			reply.text('It is sunny.'),
		);
		const { model } = await supplied();
		const chunks = await collect(model.bindTools([WEATHER]), 'Hi');
		expect(chunks.map(({ content }) => content).join('')).toBe('Let me see.\n\nIt is sunny.');
	});

	test.each([
		['that is equal', 'Let me see.', 'Let me see.'],
		['that is longer', 'Let me see. Sunny.', 'Let me see.\n\nLet me see. Sunny.'],
		['that is shorter', 'Let me', 'Let me see.\n\nLet me'],
	])('shown text is not repeated by a response %s', async (_what, next, shown) => {
		server().script(
			reply.toolCalls([{ name: 'nothing', arguments: '{}' }], { text: 'Let me see.' }),
			reply.text(next),
		);
		const { model } = await supplied();
		const chunks = await collect(model.bindTools([WEATHER]), 'Hi');
		expect(chunks.map(({ content }) => content).join('')).toBe(shown);
	});

	test('an empty call next to text is ignored, with a hint', async () => {
		server().script(reply.toolCalls([{ name: '', arguments: '' }], { text: 'It is sunny.' }));
		const { model, hints } = await supplied();
		const { tool_calls: calls, content } = await invokeModel(model, [WEATHER]);
		expect([calls, content]).toEqual([[], 'It is sunny.']);
		expect(chatRequests()).toHaveLength(1);
		expect(hints.map(({ message }) => message)).toEqual([
			'The response contained an empty tool call next to its text. It was ignored.',
		]);
	});

	test.each([
		['by its finish reason', 'length', {}],
		['by the end of the context', 'model_context_window_exceeded', {}],
		['by its finish reason in other APIs', 'max_output_tokens', {}],
		['by the number of its tokens', 'tool_calls', { maxTokens: 8 }],
	])(
		'a call that the token limit cut off %s is an error at once',
		async (_what, finish, options) => {
			for (const broken of [
				{ name: '', arguments: '' },
				{ name: 'get_weather', arguments: '{"ci' },
			]) {
				const given = { text: 'It is sunny.', finish, completionTokens: 8 };
				server().script(reply.toolCalls([broken], given));
				const { model } = await supplied({ options });
				await expect(invokeModel(model, [WEATHER])).rejects.toThrow(
					'A tool call was cut off at the token limit',
				);
			}
			expect(chatRequests()).toHaveLength(2);
		},
	);
});

describe('JSON and tools', () => {
	const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
	const asJson = { responseFormat: 'jsonSchema', jsonSchema: JSON.stringify(schema) };

	test('the first request has no format, so that calls can begin', async () => {
		server().script(call('get_weather', '{"city":"Rome"}'));
		const { model } = await supplied(asJson);
		const { tool_calls: calls } = await invokeModel(model, [WEATHER]);
		expect(calls).toHaveLength(1);
		expect(chatRequests()[0]).not.toHaveProperty('response_format');
	});

	test('a final response that violates it is requested again, with the same messages and the format', async () => {
		server().script(reply.text('It is four.'), reply.text('{"n":4}'));
		const { model } = await supplied(asJson);
		expect((await invokeModel(model, [WEATHER])).content).toBe('{"n":4}');
		const [first, second] = chatRequests();
		expect(second!.messages).toEqual(first!.messages);
		expect(second).toHaveProperty('response_format');
	});

	test.each([
		['its finish reason', 'length', {}],
		['the end of the context', 'model_context_window_exceeded', {}],
		['the number of its tokens', 'stop', { maxTokens: 8 }],
	])(
		'one that the token limit cut off, by %s, is an error at once',
		async (_what, finish, options) => {
			for (const tools of [[WEATHER], []]) {
				const before = chatRequests().length;
				server().script(reply.text('{"n":', { finish, completionTokens: 8 }));
				const { model } = await supplied({ ...asJson, options });
				await expect(invokeModel(model, tools)).rejects.toThrow(
					'The JSON was cut off at the token limit',
				);
				expect(chatRequests()).toHaveLength(before + 1);
			}
		},
	);

	test('nothing is typed before it was checked', async () => {
		server().script(reply.text('It is four.'), reply.text('{"n":4}'));
		const { model } = await supplied(asJson);
		const chunks = await collect(model.bindTools([WEATHER]), 'Hi');
		expect(chunks.map(({ content }) => content).join('')).toBe('{"n":4}');
	});
});

const output = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const parser = openAiTool('format_final_json_response', { output }, { required: ['output'] });

test.each([
	['its finish reason', 'length', {}],
	['the end of the context', 'model_context_window_exceeded', {}],
	['the number of its tokens', 'stop', { maxTokens: 8 }],
])(
	'a formatted response that the token limit cut off, by %s, is an error at once',
	async (_what, finish, options) => {
		const args = '{"output":{"n":';
		server().script(
			reply.toolCalls([{ name: 'format_final_json_response', arguments: args }], {
				finish,
				completionTokens: 8,
			}),
		);
		const { model } = await supplied({ options });
		await expect(invokeModel(model, [parser])).rejects.toThrow(
			'A tool call was cut off at the token limit',
		);
		expect(chatRequests()).toHaveLength(1);
	},
);

test.each([
	['its finish reason', 'length', {}],
	['the end of the context', 'model_context_window_exceeded', {}],
	['the number of its tokens', 'stop', { maxTokens: 8 }],
])(
	'an empty response that the token limit cut off, by %s, says so',
	async (_what, finish, options) => {
		for (const given of [
			reply.text('', { finish, completionTokens: 8 }),
			reply.reasoning('Hm', '', { finish, completionTokens: 8 }),
		]) {
			server().script(given);
			const { model } = await supplied({ options });
			await expect(invokeModel(model, [])).rejects.toMatchObject({
				description: expect.stringMatching(/(?:Raise|Set) Maximum Tokens/) as string,
			});
		}
		expect(chatRequests()).toHaveLength(2);
	},
);

test("n8n's Structured Output Parser: it is streamed if a callback handles tokens, otherwise parsed, as in agent 1.9", async () => {
	const text = 'Here it is: {"output":{"n":4}}';
	const { model } = await supplied();
	const texts: string[] = [];
	for (const callbacks of [[], [{ handleLLMNewToken() {} }]]) {
		server().script(reply.text(text));
		const chunks = await model.bindTools([parser]).stream('Hi', { callbacks });
		let streamed = '';
		for await (const { content } of chunks) streamed += String(content);
		texts.push(streamed);
	}
	expect(texts).toEqual(['', text]);
});

test('a history that llama-server could not parse is sent once more, and changes nothing', async () => {
	const message = 'Failed to parse tool call arguments as JSON: [json.exception.parse_error.101]';
	const failure = reply.error(500, { error: { message, code: 500, type: 'server_error' } });
	server().script(failure, failure);
	const { model } = await supplied();
	await expect(invokeModel(model, [])).rejects.toThrow();
	const [first, second, ...others] = chatRequests();
	expect(second).toEqual(first);
	expect(others).toEqual([]);
});

test('a pretended use of a tool is noted', async () => {
	server().script(
		reply.text('[Used tools: Tool: get_weather, Input: {}, Result: sunny] It is sunny.'),
	);
	const { model, hints } = await supplied();
	await invokeModel(model, [WEATHER]);
	expect(hints.map(({ message }) => message)).toEqual([
		expect.stringContaining('looks like a tool result but did not call a tool'),
	]);
});

test('a model that only decides is an error before anything is sent, until the server has another one', async () => {
	const architecture = { input_modalities: ['text'], output_modalities: ['decisions'] };
	const models = [{ id: 'sim-model', aliases: [], owned_by: 'llamacpp', architecture }];
	server().route('GET /v1/models', reply.json({ object: 'list', data: models }));
	const { model } = await supplied();
	await expect(invokeModel(model, [])).rejects.toThrow(
		'The model "sim-model" answers typed questions with probabilities, and does not write text',
	);
	expect(chatRequests()).toEqual([]);
	server().route('GET /v1/models', undefined);
	await invokeModel(model, []);
	expect(chatRequests()).toHaveLength(1);
});

test('tools that the chat template would drop are an error before anything is sent', async () => {
	server().route('GET /props', reply.json({ chat_template_caps: { supports_tools: false } }));
	const { model } = await supplied();
	await expect(invokeModel(model, [WEATHER])).rejects.toThrow('does not support tools');
	expect(chatRequests()).toEqual([]);
});
