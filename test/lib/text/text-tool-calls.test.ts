import * as fc from 'fast-check';
import { CompletionAccumulator } from '../../../lib/chat/completion-accumulator';
import { parseTextToolCalls } from '../../../lib/text/text-tool-calls';

const offeredTools = ['get_weather', 'send-mail', 'list'];
const parse = (text: string, isQuotation = () => false) =>
	parseTextToolCalls(text, offeredTools, isQuotation);

/** A response that arrives in pieces. */
function stream(text: string, cuts: readonly number[]) {
	const accumulator = new CompletionAccumulator({ offeredTools });
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	let shownText = '';
	for (const [index, end] of [...ends, text.length].entries()) {
		const content = text.slice(ends[index - 1] ?? 0, end);
		shownText += accumulator.push(JSON.stringify({ choices: [{ delta: { content } }] })).text;
	}
	accumulator.push('{"choices":[{"delta":{},"finish_reason":"stop"}]}');
	const { rest, completion } = accumulator.end();
	return { shownText: shownText + rest.text, completion };
}

describe('formats of calls', () => {
	test.each<[string, string, string, Array<[string, object]>]>([
		[
			'GLM',
			'<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>',
			'',
			[['get_weather', { city: 'Rome' }]],
		],
		[
			'GLM, in one line, with a list',
			'Sure.<tool_call>send-mail<arg_key>to</arg_key><arg_value>["a","b"]</arg_value><arg_key>text</arg_key><arg_value>1 < 2</arg_value></tool_call>',
			'Sure.',
			[['send-mail', { to: ['a', 'b'], text: '1 < 2' }]],
		],
		[
			'GLM, several, without arguments',
			'<tool_call>list\n</tool_call>\n<tool_call>list</tool_call>',
			'',
			[
				['list', {}],
				['list', {}],
			],
		],
		[
			'LFM2.5',
			'<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>',
			'',
			[['get_weather', { city: 'Rome' }]],
		],
		[
			'LFM2.5, several, of every type',
			`I check. <|tool_call_start|>[get_weather(city='St. John\\'s', days=[1, 2.5], now=True, unit=None), list()]<|tool_call_end|>`,
			'I check.',
			[
				['get_weather', { city: "St. John's", days: [1, 2.5], now: true, unit: null }],
				['list', {}],
			],
		],
		[
			'LFM2, with text after it',
			'<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>Checking the weather.',
			'Checking the weather.',
			[['get_weather', { city: 'Rome' }]],
		],
		[
			'Harmony',
			'<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
			'',
			[['get_weather', { city: 'Rome' }]],
		],
		[
			'Harmony, after thinking, without its end',
			'<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.send-mail <|constrain|>json<|message|>{"to":"a"}',
			'',
			[['send-mail', { to: 'a' }]],
		],
		[
			'Harmony, with the name before the channel',
			'<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city":"Oslo"}<|call|>',
			'',
			[['get_weather', { city: 'Oslo' }]],
		],
		[
			'Gemma 4',
			'<|channel>thought\nThe user wants weather.<channel|><|tool_call>call:get_weather{city:<|"|>Rome<|"|>}<tool_call|>',
			'',
			[['get_weather', { city: 'Rome' }]],
		],
		[
			'Gemma 4, several, nested',
			'<|tool_call>call:list{}<tool_call|><|tool_call>call:send-mail{to:[<|"|>a "b"<|"|>],urgent:true,retry:{max:3}}<tool_call|><|tool_response>',
			'',
			[
				['list', {}],
				['send-mail', { to: ['a "b"'], urgent: true, retry: { max: 3 } }],
			],
		],
	])('%s', (_name, response, text, calls) => {
		fc.assert(
			fc.property(fc.array(fc.nat(300), { maxLength: 30 }), (cuts) => {
				const { shownText, completion } = stream(response, cuts);
				expect(shownText.trim()).toBe(text);
				expect(
					completion.toolCalls?.map(({ name, arguments: args }) => [name, JSON.parse(args)]),
				).toEqual(calls);
			}),
		);
	});

	test('numbers keep their digits', () => {
		const text = '<|tool_call_start|>[list(id=12345678901234567890, x=1.50)]<|tool_call_end|>';
		expect(parse(text).calls[0]?.arguments).toBe('{"id":12345678901234567890,"x":1.50}');
	});

	test.each([
		'<tool_call>{"name":"list","arguments":{"id":12345678901234567890,"x":1}}</tool_call>',
		'[TOOL_CALLS][{"name":"list","arguments":{"id":12345678901234567890,"x":1}}]',
		'{"name":"list","parameters":{"id":12345678901234567890,"x":1}}',
	])('numbers that JavaScript cannot represent become text in JSON: %s', (text) => {
		expect(parse(text).calls[0]?.arguments).toBe('{"id":"12345678901234567890","x":1}');
	});

	test.each([
		'<tool_call>list<arg_key>ids</arg_key><arg_value>[12345678901234567890,1]</arg_value></tool_call>',
		'<function=list><parameter=ids>[12345678901234567890,1]</parameter></function>',
	])('and in the lists of tags: %s', (text) => {
		expect(parse(text).calls[0]?.arguments).toBe('{"ids":["12345678901234567890",1]}');
	});

	const SAMPLES = [
		'<tool_call>get_weather<arg_key>city</arg_key><arg_value>Rome</arg_value></tool_call>',
		'<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>',
		'<|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{"city":"Rome"}<|call|>',
		'<|tool_call>call:get_weather{city:<|"|>Rome<|"|>}<tool_call|>',
	];

	test.each(SAMPLES)('quoted, repeated or unfinished calls do not run: %s', (call) => {
		for (const count of [1, 100]) expect(parse(call.repeat(count)).calls).toHaveLength(count);
		expect(parse(call, () => true)).toMatchObject({
			text: call,
			calls: [],
			rejectedCall: { reason: 'the same text appears in the input' },
		});
		expect(parse(call.repeat(101))).toMatchObject({
			calls: [],
			rejectedCall: { reason: 'the response contains more than 100 calls' },
		});
		expect(parse(call.replace('get_weather', 'rm'))).toMatchObject({
			calls: [],
			rejectedCall: { name: 'rm', reason: 'no such tool is connected' },
		});
		expect(parse(call.slice(0, call.indexOf('Rome') + 2))).toMatchObject({
			calls: [],
			rejectedCall: { name: 'get_weather', reason: 'its format is unknown or incomplete' },
		});
	});

	test.each([...SAMPLES, '<tool_call>{"name":"list","arguments":{}}</tool_call>'])(
		'in a code block, %s is text',
		(call) => {
			for (const text of [`Like this:\n\`\`\`xml\n${call}\n\`\`\``, `\`\`\`\n${call}`])
				expect(parse(text)).toEqual({ text, calls: [], rejectedCall: undefined });
		},
	);
});

describe('markup that nothing reads', () => {
	/** A response with this text and a call that the server parsed. */
	const streamBeside = (content: string, args = '{"city":"Bern"}') => {
		const accumulator = new CompletionAccumulator({ offeredTools });
		const toolCall = { index: 0, id: 'a', function: { name: 'get_weather', arguments: args } };
		for (const delta of [{ content }, { tool_calls: [toolCall] }])
			accumulator.push(JSON.stringify({ choices: [{ delta }] }));
		accumulator.push('{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}');
		return accumulator.end().completion;
	};

	test.each([
		'<tool_call>{"name":"send-mail","arguments":{"to":"a"}}</tool_call>',
		'<tool_call>{"name":"get_weather","arguments":{"city":"Rome"}}</tool_call>',
		'<invoke name="list"></invoke>',
	])('is reported next to calls that the server parsed: %s', (text) => {
		expect(streamBeside(text)).toMatchObject({
			text,
			toolCalls: [{ name: 'get_weather', arguments: '{"city":"Bern"}' }],
			rejectedCall: { reason: 'the server sent other calls separately from the text' },
		});
	});

	test.each([
		'<tool_call>{"name":"get_weather","arguments":{"city":"Bern"}}</tool_call>',
		'I look up the weather (get_weather).',
		'',
	])('is not if it repeats such a call, or is prose: %s', (text) => {
		expect(streamBeside(text)).toMatchObject({ text, rejectedCall: undefined });
	});

	test.each([
		'<|plugin|>{"do":"get_weather"}',
		'<invoke name="get_weather"><parameter name="city">Rome</parameter></invoke>',
		'[FUNCTION_CALL] get_weather(city="Rome")',
		'I will look it up.\n[get_weather(city="Rome")]',
		'<tool>get_weather\n{"city": "Rome"}</tool>',
		'<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city":"Rome"}\n```',
		'Now: {"action": "get_weather", "action_input": {"city": "Rome"}} .',
		'<function_call>{"tool":"send-mail","to":"a"}</function_call>',
	])('is reported: %s', (text) => {
		const { calls, rejectedCall } = parse(text);
		expect(calls).toEqual([]);
		expect(rejectedCall?.reason).toBe('its format is unknown or incomplete');
	});

	test.each([
		'I used get_weather (from the weather service) for Rome.',
		'<b>get_weather</b> reads the weather. <p>Use "get_weather"</p>',
		'Call `get_weather({"city":"Rome"})` for that.',
		'```js\nget_weather({ city: "Rome" });\n<tool>get_weather{}</tool>\n```',
		'My tools are (get_weather, send-mail and list).',
		'a < b, and the list [1, 2, 3] is sorted. <ul>A list: {x}</ul>',
		'{"tools":["get_weather","send-mail"]}',
		'See [the list](https://x.example/list) and <https://x.example/list?get_weather_2=1>.',
	])('is not: %s', (text) => {
		expect(parse(text)).toEqual({ text, calls: [], rejectedCall: undefined });
	});
});
