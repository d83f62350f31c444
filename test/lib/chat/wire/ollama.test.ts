import * as fc from 'fast-check';

import { Assembly } from '../../../../lib/chat/answer/assembly';
import { ollamaProtocol } from '../../../../lib/chat/wire/ollama';
import { NdjsonDecoder } from '../../../../lib/http/ndjson';
import { fixtureNames, httpFixture } from '../../../support/streams';
import { examples } from '../../../support/properties';
import { answerOf, joined } from '../assemble';

const decode = (line: object | string) =>
	ollamaProtocol.decode({ data: typeof line === 'string' ? line : JSON.stringify(line) });

describe('a line of /api/chat', () => {
	it.each<[string, object, object]>([
		[
			'text',
			{ model: 'm', message: { role: 'assistant', content: 'Hi' }, done: false },
			{ text: 'Hi', model: 'm' },
		],
		[
			'thinking',
			{ message: { content: '', thinking: 'Hm' }, done: false },
			{ text: '', reasoning: 'Hm' },
		],
		[
			'the end, durations in nanoseconds',
			{
				message: { content: '' },
				done: true,
				done_reason: 'length',
				load_duration: 25e6,
				prompt_eval_count: 10,
				prompt_eval_duration: 20e6,
				eval_count: 6,
				eval_duration: 60e6,
			},
			{
				done: true,
				finishReason: 'length',
				usage: { promptTokens: 10, completionTokens: 6, totalTokens: 16 },
				timings: {
					load_ms: 25,
					prompt_ms: 20,
					prompt_per_second: 500,
					predicted_ms: 60,
					predicted_per_second: 100,
				},
			},
		],
		[
			'the end of an old release, without a reason',
			{ done: true },
			{ done: true, finishReason: 'stop' },
		],
		[
			'a prompt that came from the cache as a whole, whose count old releases leave out',
			{ done: true, eval_count: 3 },
			{ usage: { promptTokens: 0, completionTokens: 3, totalTokens: 3 } },
		],
		['an error', { error: 'boom' }, { error: { message: 'boom' } }],
		['an error of a gateway', { error: { message: 'boom' } }, { error: { message: 'boom' } }],
		['nothing', {}, {}],
	])('holds %s', (_what, line, chunk) => {
		expect(decode(line)).toMatchObject(chunk);
	});

	it.each(['[1]', '"x"', '{"message":', '{"choices":[]}'])('is not %s', (line) => {
		expect(() => decode(line)).toThrow();
	});
});

function answer(pieces: string[]) {
	const decoder = new NdjsonDecoder();
	const assembly = new Assembly({
		callIds: (ids) => ids.map((id) => id ?? ''),
		toolsInText: [{ name: 'get_weather', parameters: {} }],
	});
	const shown = [...pieces.map((piece) => decoder.push(piece)), decoder.end()]
		.flat()
		.map((event) => joined(assembly.push(ollamaProtocol.decode(event))).text);
	const rest = joined(assembly.flush()).text;
	return { shown: shown.join('') + rest, result: assembly.finish(decoder.strayLines) };
}

test('the numbers of calls that Ollama parsed keep all digits, and those that become text are named', () => {
	const digits = fc.bigInt({ min: 2n ** 53n, max: 10n ** 30n }).map(String);
	const number = fc
		.tuple(fc.constantFrom('', '-'), digits, fc.constantFrom('', '.25'))
		.map((parts) => parts.join(''))
		.filter((written) => String(Number(written)) !== written);
	fc.assert(
		fc.property(fc.uniqueArray(number, { minLength: 1, maxLength: 4 }), (numbers) => {
			const calls = numbers.map(
				(order) => `{"function":{"name":"get_weather","arguments":{"order":${order},"days":2}}}`,
			);
			const { result } = answer([
				`{"message":{"content":"","tool_calls":[${calls.join()}]},"done":false}\n`,
				'{"message":{"content":""},"done":true,"done_reason":"stop"}\n',
			]);
			const { toolCalls, notes } = answerOf({ result });
			expect(toolCalls.map(({ arguments: args }) => JSON.parse(args) as object)).toEqual(
				numbers.map((order) => ({ order, days: 2 })),
			);
			for (const order of numbers) expect(notes.join()).toContain(order);
		}),
		examples(100),
	);
});

describe('recorded answers of Ollama 0.17.4', () => {
	const streams = fixtureNames('ollama-v0.17.4/api-chat', 'stream.http').concat(
		['think-model-stream-true', 'think-model-stream-false', 'chat-stream-runner-killed'].map(
			(name) => `ollama-v0.17.4/api-chat/${name}.http`,
		),
	);

	it.each(streams)('%s is the same however it is cut', (name) => {
		const body = httpFixture(name).body.toString();
		const whole = answer([body]);
		fc.assert(
			fc.property(fc.array(fc.nat(body.length), { maxLength: 8 }), (places) => {
				const borders = [0, ...places.sort((a, b) => a - b), body.length];
				const pieces = borders.slice(1).map((end, index) => body.slice(borders[index], end));
				expect(answer(pieces)).toEqual(whole);
			}),
			examples(30),
		);
	});

	it.each<[string, object]>([
		[
			'chat-stream',
			{ answer: { text: "I'm glad to hear that", finishReason: 'length', model: 'smol' } },
		],
		[
			'tools-stream',
			{ answer: { toolCalls: [{ name: 'get_weather', arguments: '{"city":"Paris"}' }] } },
		],
		['tools-cut-stream', { failed: { kind: 'toolCallCut', tool: 'get_weather' } }],
		[
			'think-model-stream-true',
			{ failed: { kind: 'onlyThinking', reasoning: "Hi, I'm here to help" } },
		],
		[
			'chat-stream-runner-killed',
			{ failed: { kind: 'connectionLost', text: 'The story of the "L' } },
		],
		[
			'chat-one-message-too-long-stream',
			{ failed: { kind: 'emptyAnswer', usage: { promptTokens: 1024 } } },
		],
	])('%s', (name, result) => {
		expect(
			answer([httpFixture(`ollama-v0.17.4/api-chat/${name}.http`).body.toString()]).result,
		).toMatchObject(result);
	});
});
