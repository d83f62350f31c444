/** Turns with responses of many forms: what is shown, returned, corrected and told. */
import path from 'node:path';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import type { ResponseFormat } from '../../../lib/chat/settings';
import { calls, called, delta, streamed, text, usage } from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { TurnPlayer } from './describe-turn';
import type { ScriptedTurn } from './describe-turn';
import { toInput, toTool } from '../../support/texts/messages';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/still-clock'),
);

const TOOLS: Partial<ChatRequest> = {
	tools: [
		toTool({
			name: 'look up',
			description: 'Finds a text',
			schema: {
				type: 'object',
				properties: { key: { type: 'string' }, count: { type: 'integer' } },
				required: ['key'],
			},
		}),
		toTool({
			name: 'store',
			schema: { type: 'object', properties: { value: { type: 'number' } } },
		}),
	],
	unofferedTools: [
		toTool({ name: 'send', schema: { type: 'object', properties: {} } }),
		toTool({ name: 'send mail', schema: { type: 'object', properties: {} } }),
	],
};

const SCHEMA = {
	type: 'object',
	properties: { name: { type: 'string' }, age: { type: 'integer' } },
	required: ['name'],
};
const FORMAT: ResponseFormat = { type: 'jsonSchema', schema: SCHEMA };

const done = (content: string, finish: string | null = 'stop', more = {}): Answer =>
	streamed(delta({ content }), delta({}, finish), usage(undefined, more));
const thought = (thinking: string, content = '', finish = 'stop'): Answer =>
	streamed(delta({ reasoning_content: thinking }), delta({ content }), delta({}, finish), usage());
const raw =
	(body: string, type = 'text/event-stream'): Answer =>
	(_request, response) => {
		response.writeHead(200, { 'content-type': type });
		response.end(body);
	};
const message = (fields: object, finish = 'stop', more = {}): Answer =>
	json({
		model: 'sim-model',
		choices: [{ index: 0, message: { role: 'assistant', ...fields }, finish_reason: finish }],
		usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
		...more,
	});
const native = (...lines: object[]): Answer =>
	raw(
		lines.map((line) => `${JSON.stringify({ done: false, ...line })}\n`).join(''),
		'application/x-ndjson',
	);

const toolCall = (name: string, args = '{}'): Answer =>
	done(`<tool_call>{"name":"${name}","arguments":${args}}</tool_call>`);

const VALID = calls(['1', 'look_up', '{"key":"a"}']);

/** Forms of a response that need no settings. */
const PLAIN: ReadonlyArray<readonly [string, ...Answer[]]> = [
	['text', text('Hi there')],
	['text without usage', streamed(delta({ content: 'Hi' }), delta({}, 'stop'))],
	['text without a finish reason', streamed(delta({ content: 'Hi' }))],
	['text at the token limit', done('Hi', 'length')],
	['text at the token limit, by another word', done('Hi', 'max_tokens')],
	['text that the filter ended', done('Hi', 'content_filter')],
	['text that was aborted', done('Hi', 'abort')],
	['text of another model', done('Hi', 'stop', { model: 'other' })],
	[
		'text with counts of the cache',
		streamed(
			delta({ content: 'Hi' }, 'stop'),
			usage({
				prompt_tokens: 9,
				completion_tokens: 2,
				prompt_tokens_details: { cached_tokens: 4 },
				completion_tokens_details: { reasoning_tokens: 1 },
			}),
		),
	],
	[
		'text with timings',
		done('Hi', 'stop', {
			usage: undefined,
			timings: { cache_n: 3, prompt_n: 4, predicted_n: 2, predicted_per_second: 7 },
		}),
	],
	['thinking in its field', thought('Hm', 'Hi')],
	['thinking alone', thought('Hm'), text('Hi')],
	['thinking alone, twice', thought('Hm')],
	['thinking alone at the token limit', thought('Hm', '', 'length')],
	['thinking in tags', done('<think>Hm</think>\n\nHi')],
	['thinking that only ends', done('Hm</think>\n\nHi')],
	['thinking that does not end', done('<think>Hm')],
	['nothing', done(''), text('Hi')],
	['nothing, twice', done('')],
	['blanks', done(' \n')],
	['nothing at the token limit', done('', 'length')],
	['an empty stream', streamed()],
	['a refusal', streamed(delta({ refusal: 'No' }), delta({}, 'stop'))],
	['a call without tools', calls(['1', 'look_up', '{}'])],
	['the reason of calls without calls', done('Hi', 'tool_calls')],
	['one JSON document', message({ content: 'Hi', reasoning_content: 'Hm' })],
	['one JSON document without text', message({ content: null })],
	[
		'a text in parts',
		message({
			content: [
				{ type: 'text', text: 'Hi' },
				{ type: 'thinking', thinking: 'Hm' },
			],
		}),
	],
	['an error in a stream', streamed({ error: { message: 'Out of cards', code: 500 } }), text('Hi')],
	[
		'an error in a stream after text',
		streamed(delta({ content: 'Hi' }), { error: { message: 'Out of cards' } }),
	],
	['an error as JSON', json({ error: { message: 'Out of cards' } })],
	['text that is cut', raw('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"choi')],
	['a page', raw('<html><title>Login</title></html>', 'text/html')],
	['begun JSON', raw('{"', 'application/json'), text('Hi')],
	['text that looks like a call', done('[Used tools: Tool: store] Done')],
	['a long repetition', done('Hello world. '.repeat(600))],
];

/** Calls of tools, beside what the model does at its second try. */
const CALLS: ReadonlyArray<readonly [string, ...Answer[]]> = [
	['a call', VALID],
	['two calls', calls(['1', 'look_up', '{"key":"a"}'], ['2', 'store', '{"value":1}'])],
	[
		'a call beside text',
		streamed(
			delta({ content: 'Let me see' }),
			called('1', 'look_up', '{"key":"a"}'),
			delta({}, 'tool_calls'),
		),
	],
	['a call of a tool that is not offered', calls(['1', 'send', '{}'])],
	['a call in text of a tool that is not offered', toolCall('send')],
	[
		'a call of a tool that is not offered, by its name on the wire',
		calls(['1', 'send_mail', '{}']),
	],
	['a call in text of a tool that is not offered, by its name on the wire', toolCall('send_mail')],
	['a call in text of the other tool', toolCall('store', '{"value":1}')],
	['an unknown tool', calls(['1', 'delete', '{}']), text('No')],
	['an unknown tool, always', calls(['1', 'delete', '{}'])],
	[
		'an unknown tool beside a valid call, always',
		calls(['1', 'delete', '{}'], ['2', 'store', '{"value":1,"more":2}']),
	],
	['a missing argument', calls(['1', 'look_up', '{}']), VALID],
	['unknown arguments', calls(['1', 'store', '{"price":1}']), VALID],
	['a further argument', calls(['1', 'store', '{"value":1,"more":2}'])],
	['an argument twice', calls(['1', 'store', '{"value":1,"value":2}']), VALID],
	['broken arguments', calls(['1', 'look_up', '{"key":']), VALID],
	['broken arguments, always', calls(['1', 'look_up', '{"key":'])],
	[
		'arguments at the token limit',
		streamed(called('1', 'look_up', '{"key":'), delta({}, 'length')),
	],
	['texts for numbers', calls(['1', 'look_up', '{"key":5,"count":"7"}'])],
	['a number that is too exact', calls(['1', 'store', '{"value":12345678901234567890.5}'])],
	[
		'an empty call beside text',
		streamed(delta({ content: 'Hi' }), called('1', '', ''), delta({}, 'stop')),
	],
	['an empty call alone', streamed(called('1', '', ''), delta({}, 'tool_calls'))],
	['a call in text', done('<tool_call>{"name":"look_up","arguments":{"key":"a"}}</tool_call>')],
	[
		'a call in text after words',
		done('I call it: <tool_call>{"name":"look_up","arguments":{"key":"a"}}</tool_call>'),
	],
	[
		'a call in text that is cut',
		done('<tool_call>{"name":"look_up","arguments":{"key":"a"', 'length'),
	],
	[
		'a call in text of an unknown tool',
		done('<tool_call>{"name":"delete","arguments":{}}</tool_call>'),
	],
	['a call as the whole JSON', done('{"name":"look_up","arguments":{"key":"a"}}')],
	[
		'a call in a code block',
		done('Like this:\n```\n<tool_call>{"name":"look_up","arguments":{"key":"a"}}</tool_call>\n```'),
	],
	[
		'two mistakes, then text',
		calls(['1', 'delete', '{}']),
		calls(['2', 'look_up', '{}']),
		text('No'),
	],
	[
		'a mistake, then its quotation',
		calls(['1', 'look_up', '{"count":3}']),
		done('<tool_call>{"name":"look_up","arguments":{"count":3}}</tool_call>'),
	],
	[
		'thinking, then a call',
		streamed(
			delta({ reasoning_content: 'Hm' }),
			called('1', 'look_up', '{"key":"a"}'),
			delta({}, 'tool_calls'),
			usage(),
		),
	],
	['text that only says so', text('I will look it up')],
];

const WITH_FORMAT: ReadonlyArray<readonly [string, ...Answer[]]> = [
	['JSON', done('{"name":"Ada"}')],
	['JSON in a code block', done('Here:\n```json\n{"name":"Ada"}\n```')],
	['JSON after words', done('Sure. {"name":"Ada","age":36}')],
	['JSON of another form', done('{"age":"x"}'), done('{"name":"Ada"}')],
	['JSON of another form, always', done('{"age":"x"}')],
	['JSON that is cut', done('{"name":"A', 'length')],
	['no JSON', done('No'), done('{"name":"Ada"}')],
	['a refusal', streamed(delta({ refusal: 'No' }), delta({}, 'stop'))],
	['a large number', done('{"name":"Ada","age":12345678901234567890}')],
];

const named = (
	place: string,
	rows: ReadonlyArray<readonly [string, ...Answer[]]>,
	more: Omit<ScriptedTurn, 'name' | 'place' | 'answers'> = {},
): ScriptedTurn[] => rows.map(([name, ...answers]) => ({ name, place, answers, ...more }));

const TURNS: readonly ScriptedTurn[] = [
	...named('plain', PLAIN),
	...named(
		'retries',
		PLAIN.filter(([, ...answers]) => answers.length > 1),
		{ settings: { retries: 2 } },
	),
	...named(
		'thinking is shown',
		PLAIN.filter(([name]) => /thinking/.test(name)),
		{
			settings: { showThinking: true },
		},
	),
	...named(
		'thinking is off',
		PLAIN.filter(([name]) => /thinking/.test(name)),
		{
			settings: { sampling: { thinking: { mode: 'off' } } },
		},
	),
	...named('tools', CALLS, { chatRequest: TOOLS }),
	...named(
		'calls in text stay',
		CALLS.filter(([name]) => /in text|whole JSON/.test(name)),
		{
			chatRequest: TOOLS,
			settings: { toolCallsInText: 'leave' },
		},
	),
	...named(
		'no tool may be called',
		CALLS.filter(([name]) => /^a call/.test(name)),
		{
			chatRequest: { ...TOOLS, toolChoice: 'none' },
		},
	),
	...named(
		'one tool has to be called',
		CALLS.filter(([name]) => /in text|not offered|only says so|^two calls/.test(name)),
		{ chatRequest: { ...TOOLS, toolChoice: { name: 'store' } } },
	),
	...named(
		'a call is required',
		CALLS.filter(([name]) => /only says so|^a call in text$/.test(name)),
		{ chatRequest: { ...TOOLS, toolChoice: 'required' } },
	),
	...named(
		'after a response that began in its thinking',
		PLAIN.filter(([name]) => /thinking|^text$|^one JSON|^blanks|token limit$/.test(name)),
		{ earlier: [done('Hm</think>\n\nHi')] },
	),
	...named(
		'after such a response, thinking is shown',
		PLAIN.filter(([name]) => /thinking|^text$/.test(name)),
		{ earlier: [done('Hm</think>\n\nHi')], settings: { showThinking: true } },
	),
	...named(
		'a message that is continued',
		[
			['its text', done(' there')],
			['its text with the beginning', done('Hi there')],
			['its text with the beginning, as one document', message({ content: 'Hi there' })],
			['a call in it', done('Hi <tool_call>{"name":"store","arguments":{"value":1}}</tool_call>')],
			['thinking in it', done('Hm</think> there')],
		],
		{
			chatRequest: {
				...TOOLS,
				messages: [
					toInput({ type: 'human', content: 'Hello' }),
					toInput({ type: 'ai', content: 'Hi' }),
				],
			},
		},
	),
	...named('schema', WITH_FORMAT, { settings: { sampling: { responseFormat: FORMAT } } }),
	...named('object', WITH_FORMAT, {
		settings: { sampling: { responseFormat: { type: 'jsonObject' } } },
	}),
	...named(
		'schema and tools',
		[...WITH_FORMAT.slice(0, 1), ...WITH_FORMAT.slice(3, 5), ['a call', VALID]],
		{
			chatRequest: TOOLS,
			settings: { sampling: { responseFormat: FORMAT } },
		},
	),
	...named(
		'at the end',
		[
			['text', text('Hi there')],
			['a call as the format', done('{"tool":"x"}')],
		],
		{
			chatRequest: { isNeededOnlyAtEnd: true },
		},
	),
	...named(
		'Ollama',
		[
			[
				'text',
				native(
					{ model: 'sim-model', message: { role: 'assistant', content: 'Hi' } },
					{
						message: { content: '' },
						done: true,
						done_reason: 'stop',
						prompt_eval_count: 4,
						eval_count: 2,
						load_duration: 5_000_000,
						eval_duration: 1_000_000,
					},
				),
			],
			[
				'thinking and a call',
				native(
					{ message: { thinking: 'Hm' } },
					{
						message: {
							tool_calls: [{ function: { name: 'look_up', arguments: { key: 'a', count: 1 } } }],
						},
					},
					{ done: true, done_reason: 'stop' },
				),
			],
			[
				'the token limit',
				native({ message: { content: 'Hi' } }, { done: true, done_reason: 'length' }),
			],
			[
				'an error after text',
				native({ message: { content: 'Hi' } }, { error: 'llama runner process has terminated' }),
			],
			['an end that is missing', native({ message: { content: 'Hi' } })],
		],
		{ serverType: 'ollama', chatRequest: TOOLS, settings: { sampling: { topK: 1 } } },
	),
];

const start = useServers();

test('each form of a response has its result', async () => {
	jest.spyOn(Math, 'random').mockReturnValue(0.5);
	const player = new TurnPlayer(start);
	await player.open();
	const rows = await player.describeAll(TURNS);
	expectApproved(
		path.join(__dirname, 'turn.responses.approved.txt'),
		rows,
		'A response is shown once, corrected if it can be, and told if it is not usable',
	);
});
