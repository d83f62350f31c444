import { Assembly } from '../../../lib/chat/answer/assembly';
import { readEvent } from '../../../lib/chat/answer/chain';
import type { JudgedAnswer } from '../../../lib/chat/answer/collector';
import { openAiProtocol } from '../../../lib/chat/wire/openai';
import { SseDecoder } from '../../../lib/http/sse';
import { readModels } from '../../../lib/servers/models';
import { joined } from './assemble';

const chunk = (delta: unknown, finish: string | null = null, more: object = {}) =>
	JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const hello = chunk({ content: 'Hello' });
const end = chunk({}, 'stop');
const lines = (...data: string[]) => data.map((one) => `data: ${one}\n\n`).join('');

function read(body: string): JudgedAnswer {
	const decoder = new SseDecoder();
	const assembly = new Assembly();
	for (const event of [...decoder.push(new TextEncoder().encode(body)), ...decoder.end()])
		joined(assembly.push(openAiProtocol.decode(event)));
	joined(assembly.flush());
	return assembly.finish(decoder.strayLines);
}

describe('answers that are odd, but whole', () => {
	it.each([
		[
			'sse-starlette behind a generator that writes "data: " itself',
			lines(`data: ${hello}`, `data: ${end}`, '[DONE]'),
		],
		['FastAPI without blank lines between events', `data: ${hello}\ndata: ${end}\ndata: [DONE]\n`],
		['an index as text', lines(hello, end).replaceAll('"index":0', '"index":"0"')],
		[
			'one choice in place of a list',
			lines('{"choices":{"delta":{"content":"Hello"},"finish_reason":"stop"}}'),
		],
		['content as a list of texts', lines(chunk({ content: ['Hel', 'lo'] }), end)],
		['content as one part', lines(chunk({ content: { type: 'text', text: 'Hello' } }), end)],
		[
			'an empty error beside the choices',
			lines(chunk({ content: 'Hello' }, 'stop', { error: {} })),
		],
		[
			'error code 0',
			lines(chunk({ content: 'Hello' }, 'stop', { error: { code: 0, message: '' } })),
		],
		['words as signs of life', lines('ping', 'keep-alive', hello, end)],
		['JSON made text twice', lines(JSON.stringify(hello), JSON.stringify(end))],
		[
			'NaN of json.dumps',
			lines('{"choices":[{"delta":{"content":"Hello"},"logprobs":[NaN, -Infinity]}]}', end),
		],
		['a list around the chunk', lines(`[${hello}]`, end)],
		[
			'the envelope of a gateway',
			lines(`{"code":200,"message":"ok","data":${chunk({ content: 'Hello' }, 'stop')}}`),
		],
	])('%s', (_, body) => {
		expect(read(body)).toMatchObject({
			answer: { text: 'Hello', finishReason: 'stop', toolCalls: [] },
		});
	});

	it('an error as bare JSON, without "data: "', () => {
		const message = 'Model has not been loaded, please load model into cortex.llamacpp';
		for (const error of [{ message }, { error: message }, { error: { message } }])
			expect(read(lines(hello) + JSON.stringify(error))).toMatchObject({
				failed: { kind: 'modelNotFound', serverText: message, text: 'Hello' },
			});
		expect(read(lines(JSON.stringify({ message })))).toMatchObject({
			failed: { kind: 'modelNotFound' },
		});
		expect(
			read(lines(hello, JSON.stringify({ message: { content: 'model not found' } }), end)),
		).toMatchObject({
			answer: { text: 'Hello' },
		});
	});

	it.each(['"[DONE]"', '[done]', 'DONE'])('the end marker %s', (data) => {
		expect(readEvent(openAiProtocol, { data })).toEqual({ done: true });
	});

	it('the whole text once more as the last delta', () => {
		const text = 'Hello dear world, how are you?';
		const pieces = [text.slice(0, 9), text.slice(9)].map((content) => chunk({ content }));
		expect(read(lines(...pieces, chunk({ content: text }, 'stop')))).toMatchObject({
			answer: { text },
		});
	});

	it('a last delta that repeats a short word is new text', () => {
		expect(read(lines(chunk({ content: 'ha' }), chunk({ content: 'ha' }, 'stop')))).toMatchObject({
			answer: { text: 'haha' },
		});
	});

	it('thinking in reasoning_details alone (OpenRouter, MiniMax)', () => {
		const details = [
			{ type: 'reasoning.text', text: 'Hm' },
			{ type: 'reasoning.summary', summary: '.' },
		];
		expect(read(lines(chunk({ reasoning_details: details }), hello, end))).toMatchObject({
			answer: { text: 'Hello', reasoning: 'Hm.' },
		});
	});

	it.each([
		{ prompt_tokens: '3', completion_tokens: '2', total_tokens: '5' },
		{ input_tokens: 3, output_tokens: 2 },
	])('usage %j', (usage) => {
		expect(read(lines(hello, chunk({}, 'stop', { usage })))).toMatchObject({
			answer: { usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
		});
	});

	it.each(['max_length', 'max_new_tokens'])('%s is the token limit', (reason) => {
		expect(read(lines(chunk({ content: 'Hello' }, reason)))).toMatchObject({
			answer: { finishReason: 'length' },
		});
	});

	it('blanks around the name of a tool', () => {
		const call = { index: 0, id: 'a', function: { name: ' f ', arguments: '{}' } };
		expect(read(lines(chunk({ tool_calls: [call] }, 'tool_calls')))).toMatchObject({
			answer: { toolCalls: [{ name: 'f', arguments: '{}' }] },
		});
	});
});

describe('errors in disguise', () => {
	it.each([
		['one-api: code and msg', '{"code":40001,"msg":"quota used up"}', { message: 'quota used up' }],
		['FastChat', '{"text":"NETWORK ERROR","error_code":50001}', {}],
		['a list of errors', '{"errors":[{"message":"boom"}]}', { message: 'boom' }],
		[
			'LiteLLM: the status as text',
			'{"error":{"message":"slow down","code":"429"}}',
			{ message: 'slow down', status: 429 },
		],
	])('%s', (_, data, error) => {
		expect(readEvent(openAiProtocol, { data })).toMatchObject({ error });
	});
});

describe('lists of models', () => {
	it.each([
		['texts', ['a', 'b']],
		['texts in data', { data: ['a', 'b'] }],
		['models in place of data', { models: [{ name: 'a' }, { model: 'b' }] }],
		['a table by name', { data: { a: { id: 'a' }, b: {} } }],
		['a page around the list', { data: { data: [{ id: 'a' }, { id: 'b' }], total: 2 } }],
		['one model of several servers', { data: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] }],
		[
			'entries that are none',
			{
				data: [
					null,
					{ id: ' ' },
					{ id: null },
					{ id: 'a' },
					{ name: 'no id' },
					'text',
					{ id: 'b' },
				],
			},
		],
	])('%s', (_, json) => {
		expect(readModels(json)?.map(({ id }) => id)).toEqual(['a', 'b']);
	});

	it('numbers as ids', () => {
		expect(readModels({ data: [{ id: 7 }] })?.map(({ id }) => id)).toEqual(['7']);
	});
});
