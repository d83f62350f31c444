import type {
	ChatMessage,
	ChatParameters,
	ChatRequest,
	ToolDefinition,
} from '../../../../lib/chat/types';
import { readEvent } from '../../../../lib/chat/answer/chain';
import { SAMPLER_ENTRIES } from '../../../../lib/chat/request/samplers';
import type { KindName } from '../../../../lib/servers/kinds';
import { openAiProtocol, shortId } from '../../../../lib/chat/wire/openai';
import type { ServerSentEvent } from '../../../../lib/http/sse';
import { httpFixture } from '../../../support/streams';

const KINDS = ['llamaServer', 'ollama', 'vllm', 'other'] as const satisfies readonly KindName[];
const weather: ToolDefinition = {
	name: 'get_weather',
	description: 'Weather of a city',
	parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const time: ToolDefinition = { name: 'get_time', parameters: { type: 'object', properties: {} } };
const question: ChatMessage = { role: 'user', content: 'Hi' };

function body(more: Partial<ChatRequest> = {}): Record<string, unknown> {
	return openAiProtocol.body({
		model: 'm',
		messages: [question],
		parameters: {},
		serverKind: 'llamaServer',
		...more,
	});
}
/** The body without what every request has. */
function extras(parameters: ChatParameters, serverKind: KindName, more: Partial<ChatRequest> = {}) {
	const always = ['model', 'messages', 'stream', 'stream_options'];
	return Object.fromEntries(
		Object.entries(body({ parameters, serverKind, ...more })).filter(
			([key]) => !always.includes(key),
		),
	);
}
const decode = (data: string | object, event?: string) =>
	readEvent(openAiProtocol, {
		data: typeof data === 'string' ? data : JSON.stringify(data),
		...(event === undefined ? {} : { event }),
	} satisfies ServerSentEvent);

const BASE = '"model":"m","messages":[{"role":"user","content":"Hi"}]';
const STREAM = '"stream":true,"stream_options":{"include_usage":true}';
const WEATHER =
	'{"type":"function","function":{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}';
const TIME =
	'{"type":"function","function":{"name":"get_time","parameters":{"type":"object","properties":{}}}}';

describe('the address', () => {
	it('is always that of the chat completions', () => {
		expect(openAiProtocol.url({ api: 'http://host/v1', root: 'http://host' })).toBe(
			'http://host/v1/chat/completions',
		);
	});
});

describe('bodies, byte for byte', () => {
	it.each(KINDS)('nothing is sent that was not set: %s', (serverKind) => {
		expect(JSON.stringify(body({ serverKind }))).toBe(`{${BASE},${STREAM}}`);
	});

	it('without a stream there are no stream options', () => {
		expect(JSON.stringify(body({ stream: false }))).toBe(`{${BASE},"stream":false}`);
	});

	const everything: ChatParameters = {
		temperature: 0.7,
		topP: 0.9,
		topK: 40,
		minP: 0.05,
		repeatPenalty: 1.1,
		repeatLastN: 64,
		presencePenalty: 0.1,
		frequencyPenalty: 0.2,
		mirostat: 2,
		mirostatTau: 5,
		mirostatEta: 0.1,
		seed: 42,
		stop: ['END'],
		maxTokens: 100,
		parallelToolCalls: false,
	};
	const ALL_LLAMA =
		'"temperature":0.7,"top_p":0.9,"top_k":40,"min_p":0.05,"repeat_penalty":1.1,"repeat_last_n":64,"presence_penalty":0.1,"frequency_penalty":0.2,' +
		'"mirostat":2,"mirostat_tau":5,"mirostat_eta":0.1,"seed":42,"stop":["END"],"max_tokens":100';
	const STANDARD =
		'"temperature":0.7,"top_p":0.9,"presence_penalty":0.1,"frequency_penalty":0.2,"seed":42,"stop":["END"],"max_tokens":100';

	it.each<[KindName, string]>([
		['llamaServer', ALL_LLAMA],
		['other', ALL_LLAMA],
		['ollama', STANDARD],
		[
			'vllm',
			'"temperature":0.7,"top_p":0.9,"top_k":40,"min_p":0.05,"repetition_penalty":1.1,"presence_penalty":0.1,"frequency_penalty":0.2,"seed":42,"stop":["END"],"max_tokens":100',
		],
	])('every option on %s', (serverKind, expected) => {
		expect(JSON.stringify(body({ serverKind, parameters: everything }))).toBe(
			`{${BASE},${STREAM},${expected}}`,
		);
	});

	it('every option has a value among them, but for those with tests of their own', () => {
		const names = SAMPLER_ENTRIES.map(([name]) => name);
		expect(names.filter((name) => !(name in everything))).toEqual(['contextSize', 'keepAlive']);
	});

	it('tools stand in front of the options, so that they can be compared at a glance', () => {
		expect(
			JSON.stringify(
				body({
					tools: [weather, time],
					toolChoice: 'auto',
					parameters: { temperature: 0, parallelToolCalls: true },
				}),
			),
		).toBe(
			`{${BASE},"tools":[${WEATHER},${TIME}],"tool_choice":"auto","parallel_tool_calls":true,${STREAM},"temperature":0}`,
		);
	});

	it('the extra body comes last and wins', () => {
		expect(
			JSON.stringify(
				body({
					parameters: {
						temperature: 0.7,
						extraBody: { temperature: 0, top_n_sigma: 1, model: 'x' },
					},
				}),
			),
		).toBe(
			`{"model":"x","messages":[{"role":"user","content":"Hi"}],${STREAM},"temperature":0,"top_n_sigma":1}`,
		);
	});

	it('the same request gives the same bytes', () => {
		const request = {
			tools: [weather],
			parameters: everything,
			messages: [question, { role: 'assistant', content: 'x', reasoning: 'y' }],
		} satisfies Partial<ChatRequest>;
		expect(JSON.stringify(body(structuredClone(request)))).toBe(JSON.stringify(body(request)));
	});
});

describe('messages', () => {
	const sent = (message: ChatMessage, more: Partial<ChatRequest> = {}) =>
		(body({ messages: [message], ...more }).messages as unknown[])[0];

	it('parts are written in OpenAI’s form', () => {
		expect(
			sent({
				role: 'user',
				content: [
					{ type: 'text', text: 'What?' },
					{ type: 'image', url: 'data:image/png;base64,AA==' },
					{ type: 'audio', data: 'UklGRg==', format: 'wav' },
				],
			}),
		).toEqual({
			role: 'user',
			content: [
				{ type: 'text', text: 'What?' },
				{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
				{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
			],
		});
	});

	it.each([
		['llamaServer', { type: 'input_video', input_video: { data: 'AAAA' } }],
		['vllm', { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } }],
		['other', { type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAA' } }],
	] as const)('a video is written as %s reads it', (serverKind, part) => {
		const content = [{ type: 'video' as const, url: 'data:video/mp4;base64,AAAA' }];
		expect(sent({ role: 'user', content }, { serverKind })).toEqual({
			role: 'user',
			content: [part],
		});
	});

	const turn: ChatMessage = {
		role: 'assistant',
		content: '',
		toolCalls: [{ id: 'call_123', name: 'f', arguments: '{"x": 1}' }],
	};

	it('calls and results', () => {
		expect(JSON.stringify(sent(turn))).toBe(
			'{"role":"assistant","content":"","tool_calls":[{"id":"call_123","type":"function","function":{"name":"f","arguments":"{\\"x\\": 1}"}}]}',
		);
		expect(sent({ role: 'tool', toolCallId: 'call_123', content: '1' })).toEqual({
			role: 'tool',
			tool_call_id: 'call_123',
			content: '1',
		});
		expect(sent({ role: 'tool', toolCallId: 'call_123', name: 'f', content: '1' })).toEqual({
			role: 'tool',
			tool_call_id: 'call_123',
			name: 'f',
			content: '1',
		});
	});

	it.each<[KindName, object]>([
		['llamaServer', { reasoning_content: 'Hm' }],
		['ollama', { reasoning: 'Hm' }],
		['vllm', { reasoning_content: 'Hm', reasoning: 'Hm' }],
		['other', { reasoning_content: 'Hm', reasoning: 'Hm' }],
	])('thinking goes back in the field that %s reads', (serverKind, fields) => {
		expect(sent({ role: 'assistant', content: 'x', reasoning: 'Hm' }, { serverKind })).toEqual({
			role: 'assistant',
			content: 'x',
			...fields,
		});
	});

	it('case 81: ids become nine letters and digits on demand, the same in call and result', () => {
		const short = shortId('call_123');
		expect(short).toMatch(/^[a-zA-Z0-9]{9}$/);
		expect(sent(turn, { shortToolIds: true })).toMatchObject({ tool_calls: [{ id: short }] });
		expect(
			sent({ role: 'tool', toolCallId: 'call_123', content: '' }, { shortToolIds: true }),
		).toMatchObject({
			tool_call_id: short,
		});
		expect(shortId('call_124')).not.toBe(short);
		expect(shortId('abcDEF123')).toBe('abcDEF123');
		expect(shortId('abcDEF12_')).not.toBe('abcDEF12_');
	});
});

describe('tools', () => {
	const tools = [weather, time];

	it.each<[KindName, object]>([
		[
			'llamaServer',
			{
				tools: [
					expect.objectContaining({
						function: expect.objectContaining({ name: 'get_time' }) as object,
					}),
				],
				tool_choice: 'required',
			},
		],
		[
			'other',
			{
				tools: [
					expect.objectContaining({
						function: expect.objectContaining({ name: 'get_time' }) as object,
					}),
				],
				tool_choice: 'required',
			},
		],
		[
			'ollama',
			{
				tools: [
					expect.objectContaining({
						function: expect.objectContaining({ name: 'get_time' }) as object,
					}),
				],
				tool_choice: 'required',
			},
		],
	])('case 79: one forced tool is sent alone and required to %s', (serverKind, expected) => {
		expect(extras({}, serverKind, { tools, toolChoice: { name: 'get_time' } })).toEqual(expected);
	});

	it('case 79: vLLM takes the name', () => {
		expect(extras({}, 'vllm', { tools, toolChoice: { name: 'get_time' } })).toEqual({
			tools: [expect.anything(), expect.anything()],
			tool_choice: { type: 'function', function: { name: 'get_time' } },
		});
	});

	it.each<['auto' | 'none' | 'required']>([['auto'], ['none'], ['required']])(
		'the choice %s is sent as it is',
		(toolChoice) => {
			for (const serverKind of ['llamaServer', 'vllm', 'other'] as const)
				expect(extras({}, serverKind, { tools, toolChoice })).toMatchObject({
					tool_choice: toolChoice,
				});
		},
	);

	it('Ollama ignores "none", so it is not shown the tools', () => {
		expect(extras({}, 'ollama', { tools, toolChoice: 'none' })).toEqual({});
	});

	it('nothing about tools is sent without tools', () => {
		expect(
			extras({ parallelToolCalls: true }, 'llamaServer', { tools: [], toolChoice: 'required' }),
		).toEqual({});
		expect(extras({ parallelToolCalls: true }, 'llamaServer')).toEqual({});
	});

	it('the switch for parallel calls goes where it is honoured', () => {
		expect(extras({ parallelToolCalls: false }, 'vllm', { tools })).toMatchObject({
			parallel_tool_calls: false,
		});
		expect(extras({ parallelToolCalls: false }, 'ollama', { tools })).not.toHaveProperty(
			'parallel_tool_calls',
		);
	});
});

describe('thinking and response format, as each server wants it said', () => {
	const template = (enable: boolean) => ({ chat_template_kwargs: { enable_thinking: enable } });

	it.each<[ChatParameters['thinking'], Record<(typeof KINDS)[number], object>]>([
		[undefined, { llamaServer: {}, ollama: {}, vllm: {}, other: {} }],
		[{ mode: 'serverDefault' }, { llamaServer: {}, ollama: {}, vllm: {}, other: {} }],
		[
			{ mode: 'on' },
			{ llamaServer: template(true), ollama: {}, vllm: template(true), other: template(true) },
		],
		[
			{ mode: 'off' },
			{
				llamaServer: template(false),
				ollama: { reasoning_effort: 'none' },
				vllm: template(false),
				other: template(false),
			},
		],
		[
			{ mode: 'effort', effort: 'low' },
			{
				llamaServer: { reasoning_effort: 'low' },
				ollama: { reasoning_effort: 'low' },
				vllm: { reasoning_effort: 'low' },
				other: { reasoning_effort: 'low' },
			},
		],
		[
			{ mode: 'budget', tokens: 0 },
			{
				llamaServer: { reasoning_budget_tokens: 0 },
				ollama: {},
				vllm: {},
				other: { reasoning_budget_tokens: 0 },
			},
		],
	])('thinking %j', (thinking, expected) => {
		for (const kind of KINDS) expect(extras({ thinking }, kind)).toEqual(expected[kind]);
	});

	it('the switch is put beside other template arguments, which have the last word', () => {
		const parameters = (chat_template_kwargs: object): ChatParameters => ({
			thinking: { mode: 'off' },
			extraBody: { chat_template_kwargs },
		});
		expect(extras(parameters({ a: 1 }), 'llamaServer')).toEqual({
			chat_template_kwargs: { enable_thinking: false, a: 1 },
		});
		expect(extras(parameters({ enable_thinking: true }), 'llamaServer')).toEqual({
			chat_template_kwargs: { enable_thinking: true },
		});
	});

	const schema = { type: 'object', properties: { a: { type: 'string' } } };
	const jsonSchema = (name: string) => ({
		response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } },
	});

	it.each<[ChatParameters['responseFormat'], Record<(typeof KINDS)[number], object>]>([
		[{ type: 'text' }, { llamaServer: {}, ollama: {}, vllm: {}, other: {} }],
		[
			{ type: 'jsonObject' },
			{
				llamaServer: { response_format: { type: 'json_object' } },
				ollama: { response_format: { type: 'json_object' } },
				vllm: { response_format: { type: 'json_object' } },
				other: { response_format: { type: 'json_object' } },
			},
		],
		[
			{ type: 'jsonSchema', schema },
			{
				llamaServer: jsonSchema('answer'),
				ollama: jsonSchema('answer'),
				vllm: jsonSchema('answer'),
				other: jsonSchema('answer'),
			},
		],
		[
			{ type: 'jsonSchema', schema, name: 'city' },
			{
				llamaServer: jsonSchema('city'),
				ollama: jsonSchema('city'),
				vllm: jsonSchema('city'),
				other: jsonSchema('city'),
			},
		],
		[
			{ type: 'grammar', grammar: 'root ::= "a"' },
			{
				llamaServer: { grammar: 'root ::= "a"' },
				ollama: {},
				vllm: { structured_outputs: { grammar: 'root ::= "a"' } },
				other: { grammar: 'root ::= "a"' },
			},
		],
	])('case 82: response format %j', (responseFormat, expected) => {
		for (const kind of KINDS) expect(extras({ responseFormat }, kind)).toEqual(expected[kind]);
	});
});

describe('decoding', () => {
	it('an ordinary chunk', () => {
		expect(
			decode({
				choices: [
					{
						index: 0,
						finish_reason: 'stop',
						delta: {
							content: 'a',
							reasoning_content: 'b',
							tool_calls: [{ index: 1, id: 'c', function: { name: 'd', arguments: 'e' } }],
						},
					},
				],
				model: 'm',
				usage: {
					prompt_tokens: 1,
					completion_tokens: 2,
					total_tokens: 3,
					prompt_tokens_details: { cached_tokens: 1 },
					completion_tokens_details: { reasoning_tokens: 1 },
				},
				timings: { prompt_n: 1, note: 'x' },
			}),
		).toEqual({
			text: 'a',
			reasoning: 'b',
			toolCalls: [{ index: 1, id: 'c', name: 'd', arguments: 'e' }],
			finishReason: 'stop',
			usage: {
				promptTokens: 1,
				completionTokens: 2,
				totalTokens: 3,
				cachedTokens: 1,
				reasoningTokens: 1,
			},
			timings: { prompt_n: 1 },
			model: 'm',
		});
	});

	it.each<[string, string | object, object]>([
		['the end marker', '[DONE]', { done: true }],
		['an empty event', '', {}],
		['a heartbeat', ' ', {}],
		['no choices', { choices: [] }, {}],
		[
			'another choice',
			{
				choices: [{ index: 1, delta: { content: 'a' }, finish_reason: 'stop' }],
				model: 'm',
				timings: { prompt_n: 1 },
			},
			{ choice: 1, text: 'a', finishReason: 'stop', model: 'm', timings: { prompt_n: 1 } },
		],
		['a null delta', { choices: [{ delta: null }] }, {}],
		['null content', { choices: [{ delta: { content: null, tool_calls: null } }] }, {}],
		['a null index', { choices: [{ index: null, delta: { content: 'a' } }] }, { text: 'a' }],
		[
			'content in parts',
			{
				choices: [
					{
						delta: {
							content: [{ type: 'text', text: 'a' }, { type: 'x' }, { type: 'text', text: 'b' }],
						},
					},
				],
			},
			{ text: 'ab' },
		],
		[
			'thinking in parts',
			{
				choices: [
					{
						delta: {
							content: [
								{ type: 'reasoning', text: 'a' },
								{ type: 'text', text: 'b' },
							],
						},
					},
				],
			},
			{ text: 'b', reasoning: 'a' },
		],
		[
			'thinking in parts of parts (Mistral)',
			{
				choices: [
					{
						delta: {
							content: [
								{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] },
								{ type: 'text', text: 'b' },
							],
						},
					},
				],
			},
			{ text: 'b', reasoning: 'a' },
		],
		[
			'thinking in the field of Ollama',
			{ choices: [{ delta: { content: '', thinking: 'a' } }] },
			{ text: '', reasoning: 'a' },
		],
		[
			'a reason in quotes that is none',
			{ choices: [{ delta: { content: 'a' }, finish_reason: 'null' }] },
			{ text: 'a' },
		],
		[
			'a single call of the older form',
			{
				choices: [
					{
						delta: { function_call: { name: 'f', arguments: '{}' } },
						finish_reason: 'function_call',
					},
				],
			},
			{ toolCalls: [{ name: 'f', arguments: '{}' }], finishReason: 'function_call' },
		],
		[
			'a call in both forms',
			{
				choices: [
					{
						delta: {
							function_call: { name: 'f', arguments: '{}' },
							tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }],
						},
					},
				],
			},
			{ toolCalls: [{ index: 0, id: 'a', name: 'f', arguments: '{}' }] },
		],
		['a text completion', { choices: [{ text: 'a', index: 0 }] }, { text: 'a' }],
		[
			'thinking in the other field',
			{ choices: [{ delta: { reasoning: 'a' } }] },
			{ reasoning: 'a' },
		],
		[
			'thinking in both fields',
			{ choices: [{ delta: { reasoning_content: 'a', reasoning: 'a' } }] },
			{ reasoning: 'a' },
		],
		[
			'thinking in both, one empty',
			{ choices: [{ delta: { reasoning_content: '', reasoning: 'a' } }] },
			{ reasoning: 'a' },
		],
		[
			'thinking in both, one null',
			{ choices: [{ delta: { reasoning_content: null, reasoning: 'a' } }] },
			{ reasoning: 'a' },
		],
		['usage that is null', { choices: [], usage: null }, {}],
		['usage without counts', { choices: [], usage: {} }, {}],
		[
			'usage without a total',
			{ choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } },
			{ usage: { promptTokens: 2, completionTokens: 3, totalTokens: 5 } },
		],
		[
			'progress',
			{ choices: [], prompt_progress: { total: 12, cache: 2, processed: 7, time_ms: 1 } },
			{ progress: 0.5 },
		],
		[
			'progress when all is cached',
			{ choices: [], prompt_progress: { total: 2, cache: 2, processed: 2 } },
			{ progress: 1 },
		],
		[
			'a call without anything',
			{
				choices: [{ delta: { tool_calls: [{ index: 0, id: '', function: { name: '' } }, null] } }],
			},
			{ toolCalls: [{ index: 0 }] },
		],
		['error: null', { choices: [{ delta: { content: 'a' } }], error: null }, { text: 'a' }],
	])('%s', (_what, data, expected) => {
		expect(decode(data)).toEqual(expected);
	});

	it.each(['ping', 'heartbeat', 'keep-alive'])(
		'an event called %s says nothing, whatever it holds',
		(name) => {
			for (const data of ['1763600000', 'alive', '{"type":"ping"}'])
				expect(decode(data, name)).toEqual({});
		},
	);

	it('case 15: a whole answer, as recorded', () => {
		const chunk = decode(
			httpFixture('llama-server-v0.5.0/tools-parallel.http').body.toString(),
			'whole-answer',
		);
		expect(chunk).toMatchObject({
			text: '',
			toolCalls: [
				{ name: 'get_weather', complete: true },
				{ name: 'get_weather', complete: true },
			],
			finishReason: 'tool_calls',
			done: true,
			model: 'smollm2',
		});
		expect(chunk.toolCalls?.map(({ index }) => index)).toEqual([undefined, undefined]);
	});

	it.each(['not JSON', '[1]', '"text"', '{"cut', 'null'])(
		'case 56: %s is reported with the line',
		(data) => {
			expect(() => decode(data)).toThrow(`not a JSON object: ${data}`);
		},
	);

	it('a JSON answer of something else is reported', () => {
		expect(() => decode({ hello: 'world' }, 'whole-answer')).toThrow(
			'an answer without choices: {"hello":"world"}',
		);
		expect(decode({ error: { message: 'late' } }, 'whole-answer')).toEqual({
			error: { message: 'late' },
		});
	});
});

describe('a refusal of the model', () => {
	const choice = (fields: object) => ({ choices: [{ index: 0, ...fields }] });

	it('is text, piece by piece and whole', () => {
		expect(decode(choice({ delta: { content: null, refusal: 'I cannot' } })).text).toBe('I cannot');
		expect(decode(choice({ delta: { content: 'Sorry. ', refusal: 'I cannot' } })).text).toBe(
			'Sorry. I cannot',
		);
		expect(decode(choice({ delta: { content: 'I cannot', refusal: 'I cannot' } })).text).toBe(
			'I cannot',
		);
		expect(decode(choice({ delta: { content: 'Hi', refusal: null } })).text).toBe('Hi');
		const message = { role: 'assistant', content: null, refusal: 'I cannot do that.' };
		expect(decode(choice({ message, finish_reason: 'stop' }), 'whole-answer').text).toBe(
			'I cannot do that.',
		);
	});
});
