import * as fc from 'fast-check';
import { CompletionReader } from '../../../../lib/chat/read/completion-reader';
import { decideTextCalls } from '../../../../lib/text/calls/decide-text-calls';
import type { QuotationCheck } from '../../../../lib/text/calls/quotations';
import { findIgnoredCall } from '../../../../lib/text/calls/unread-calls';

const callableNames = ['get_weather', 'send-mail', 'list'];
const parse = (text: string, findQuotation: QuotationCheck = () => undefined) =>
	decideTextCalls({ text, tools: callableNames, isCutOff: false, hasEnded: true, findQuotation });

/** A response that arrives in pieces. */
function stream(text: string, cuts: readonly number[]) {
	const reader = new CompletionReader({ callableNames });
	const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
	let shownText = '';
	for (const [index, end] of [...ends, text.length].entries()) {
		const content = text.slice(ends[index - 1] ?? 0, end);
		shownText += reader.push(JSON.stringify({ choices: [{ delta: { content } }] })).text;
	}
	reader.push('{"choices":[{"delta":{},"finish_reason":"stop"}]}');
	const { rest, completion } = reader.end();
	return { shownText: shownText + rest.text, completion };
}

describe('formats of calls', () => {
	interface Format {
		/** Model or format. */
		name: string;
		response: string;
		/** Part of the response that is shown. */
		text: string;
		calls: Array<{ name: string; args: object }>;
	}

	test.each<Format>([
		{
			name: 'GLM',
			response:
				'<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>',
			text: '',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'GLM, in one line, with a list',
			response:
				'Sure.<tool_call>send-mail<arg_key>to</arg_key><arg_value>["a","b"]</arg_value><arg_key>text</arg_key><arg_value>1 < 2</arg_value></tool_call>',
			text: 'Sure.',
			calls: [{ name: 'send-mail', args: { to: '["a","b"]', text: '1 < 2' } }],
		},
		{
			name: 'GLM, several, without arguments',
			response: '<tool_call>list\n</tool_call>\n<tool_call>list</tool_call>',
			text: '',
			calls: [
				{ name: 'list', args: {} },
				{ name: 'list', args: {} },
			],
		},
		{
			name: 'LM Studio, models without a syntax of their own',
			response:
				'Sure.\n[TOOL_REQUEST]{"name": "get_weather", "arguments": {"city": "Rome"}}[END_TOOL_REQUEST]',
			text: 'Sure.',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'LM Studio, several, with line breaks',
			response:
				'[TOOL_REQUEST]\n{"name":"list","arguments":{}}\n[END_TOOL_REQUEST]\n[TOOL_REQUEST]{"arguments":{"city":"[END_TOOL_REQUEST]"},"name":"get_weather"}[END_TOOL_REQUEST]',
			text: '',
			calls: [
				{ name: 'list', args: {} },
				{ name: 'get_weather', args: { city: '[END_TOOL_REQUEST]' } },
			],
		},
		...['｜DSML｜', '｜DSML｜ ', '‖DSML‖', '｜｜DSML｜｜'].map((prefix) => ({
			name: `DeepSeek with ${prefix}`,
			response: `I look.\n\n<${prefix}tool_calls>\n<${prefix}invoke name="get_weather">\n<${prefix}parameter name="city" string="true">Rome</${prefix}parameter>\n</${prefix}invoke>\n</${prefix}tool_calls>`,
			text: 'I look.',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		})),
		{
			name: 'Mistral, with a mark after the list',
			response: '[TOOL_CALLS] [{"name": "list", "arguments": {}}][/TOOL_CALLS]</s>',
			text: '',
			calls: [{ name: 'list', args: {} }],
		},
		{
			name: 'Mistral, with a mark after a name and its arguments',
			response: 'I look.[TOOL_CALLS]get_weather[ARGS]{"city": "Rome"}[/TOOL_CALLS]',
			text: 'I look.',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'Mistral, with a mark after each of several calls',
			response:
				'[TOOL_CALLS][{"name":"list","arguments":{"a":"[/TOOL_CALLS]"}}][/TOOL_CALLS]\n[TOOL_CALLS]list{"b":1}[/TOOL_CALLS]',
			text: '',
			calls: [
				{ name: 'list', args: { a: '[/TOOL_CALLS]' } },
				{ name: 'list', args: { b: 1 } },
			],
		},
		{
			name: 'Laguna, JSON after the name',
			response: 'Sure.<tool_call>get_weather\n{"city":"Rome"}\n</tool_call>',
			text: 'Sure.',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'JSON after the name, several, in another mark',
			response:
				'<tool_calls><tool_call>list {}</tool_call><tool_call>get_weather{"city":"Bern"}</tool_call></tool_calls>',
			text: '',
			calls: [
				{ name: 'list', args: {} },
				{ name: 'get_weather', args: { city: 'Bern' } },
			],
		},
		{
			name: 'JSON after the name, with a key "name"',
			response: '<seed:tool_call>send-mail\n{"name":"a","to":"b"}</seed:tool_call>',
			text: '',
			calls: [{ name: 'send-mail', args: { name: 'a', to: 'b' } }],
		},
		{
			name: 'LFM2.5',
			response: '<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>',
			text: '',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'LFM2.5, several, of every type',
			response:
				"I check. <|tool_call_start|>[get_weather(city='St. John\\'s', days=[1, 2.5], now=True, unit=None), list()]<|tool_call_end|>",
			text: 'I check.',
			calls: [
				{
					name: 'get_weather',
					args: { city: "St. John's", days: [1, 2.5], now: true, unit: null },
				},
				{ name: 'list', args: {} },
			],
		},
		{
			name: 'LFM2, with text after it',
			response:
				'<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>Checking the weather.',
			text: 'Checking the weather.',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'Harmony',
			response:
				'<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
			text: '',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'Harmony, after thinking, without its end',
			response:
				'<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>commentary to=functions.send-mail <|constrain|>json<|message|>{"to":"a"}',
			text: '',
			calls: [{ name: 'send-mail', args: { to: 'a' } }],
		},
		{
			name: 'Harmony, with the name before the channel',
			response:
				'<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city":"Oslo"}<|call|>',
			text: '',
			calls: [{ name: 'get_weather', args: { city: 'Oslo' } }],
		},
		{
			name: 'Gemma 4',
			response:
				'<|channel>thought\nThe user wants weather.<channel|><|tool_call>call:get_weather{city:<|"|>Rome<|"|>}<tool_call|>',
			text: '',
			calls: [{ name: 'get_weather', args: { city: 'Rome' } }],
		},
		{
			name: 'Gemma 4, several, nested',
			response:
				'<|tool_call>call:list{}<tool_call|><|tool_call>call:send-mail{to:[<|"|>a "b"<|"|>],urgent:true,retry:{max:3}}<tool_call|><|tool_response>',
			text: '',
			calls: [
				{ name: 'list', args: {} },
				{ name: 'send-mail', args: { to: ['a "b"'], urgent: true, retry: { max: 3 } } },
			],
		},
	])('the calls and the text of $name', ({ response, text, calls }) => {
		fc.assert(
			fc.property(fc.array(fc.nat(300), { maxLength: 30 }), (cuts) => {
				const { shownText, completion } = stream(response, cuts);
				const shownCalls = completion.toolCalls?.map(({ name, arguments: args }) => ({
					name,
					args: JSON.parse(args) as object,
				}));
				expect({ response, text: shownText.trim(), calls: shownCalls }).toEqual({
					response,
					text,
					calls,
				});
			}),
		);
	});

	const ARGS = '{"city":"Rome"}';
	const CALL = `{"name":"get_weather","arguments":${ARGS}}`;
	const PYTHON = 'get_weather(city="Rome")';

	test.each([
		`<tool_call>[${CALL}]</tool_call>`,
		`<tool_call>{'name': 'get_weather', 'arguments': {'city': 'Rome'}}</tool_call>`,
		`<tool_call>${CALL}</tool_call><|im_end|>`,
		`<function=get_weather>${ARGS}</function>`,
		`[TOOL_CALLS]get_weather[CALL_ID]a1[ARGS]${ARGS}`,
		`[TOOL_CALLS]get_weather${ARGS}</s>`,
		`[TOOL_CALLS]get_weather[ARGS] ${ARGS}`,
		`<TOOLCALL>[${CALL}]</TOOLCALL>`,
		`functools[${CALL}]`,
		`<|tool_call|>[${CALL}]<|/tool_call|>`,
		`<|tool_call|>[${CALL}]`,
		`<|python_tag|>${CALL.replace('arguments', 'parameters')}<|eom_id|>`,
		`<|python_start|>[${PYTHON}]<|python_end|>`,
		`[${PYTHON}]`,
		`<function_calls>${PYTHON}</function_calls>`,
		`<|action_start|><|plugin|>${CALL}<|action_end|>`,
		`<tool_calls>[${CALL}]</tool_calls>`,
		`<tool_call>${CALL}`,
		`[FUNCTION_CALL] ${PYTHON}`,
		`<tool>get_weather\n${ARGS}</tool>`,
		`<‖ABCD‖invoke name="get_weather"><‖ABCD‖parameter name="city">Rome</‖ABCD‖parameter></‖ABCD‖invoke>`,
		`<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n\`\`\`json\n${ARGS}\n\`\`\``,
		`<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>${ARGS}`,
	])('%s is a call, however it is cut', (response) => {
		for (const size of [1, 7, response.length]) {
			const cuts = Array.from(response, (_letter, index) => index).filter((at) => at % size === 0);
			const { shownText, completion } = stream(response, cuts);
			expect(shownText).toBe('');
			expect(completion.toolCalls).toEqual([{ name: 'get_weather', arguments: ARGS }]);
		}
	});

	test.each([
		`<|plugin|>${CALL} and more`,
		`Use <function_calls>${PYTHON} or ask.`,
		`functools is a module of Python: functools[${CALL}].`,
		`[TOOL_CALLS]get_weather and ${ARGS}`,
		`[TOOL_CALLS]I call get_weather${ARGS}`,
	])('%s is text', (text) => {
		const { shownText, completion } = stream(text, [1, 5, 9, 20]);
		expect(shownText).toBe(text);
		expect(completion.toolCalls).toEqual([]);
	});

	test.each(['<tool_call>\n' + CALL + '</tool_call>', '<function=get_weather>{}</function>'])(
		'%s at the end of the thinking is a call, if the response has no text',
		(call) => {
			const complete = (text: string, finish_reason = 'stop') => {
				const reader = new CompletionReader({ callableNames });
				for (const delta of [{ reasoning_content: `I look. ${call}` }, { content: text }])
					reader.push(JSON.stringify({ choices: [{ delta }] }));
				reader.push(JSON.stringify({ choices: [{ delta: {}, finish_reason }] }));
				return reader.end().completion;
			};
			expect(complete('')).toMatchObject({ text: '', toolCalls: [{ name: 'get_weather' }] });
			expect(complete('Rome is warm.')).toMatchObject({ text: 'Rome is warm.', toolCalls: [] });
			expect(complete('', 'length')).toMatchObject({ failure: { errorType: 'onlyThinking' } });
		},
	);

	test.each([
		'<|im_end|>',
		'</s>',
		'<end_of_turn>',
		'<｜end▁of▁sentence｜>',
		'<turn|>',
		'[e~[',
		'<eos>',
	])('the end token %s is not shown, unless the text mentions it', (token) => {
		for (const cuts of [[], [2, 7, 8, 9, 10, 12], [6]]) {
			expect(stream(`Hello!${token}`, cuts).shownText).toBe('Hello!');
			expect(stream(`Hello!\n${token}\n${token}`, cuts).completion.text).toBe('Hello!');
			for (const text of [
				`It is ${token}`,
				`\`${token}\``,
				`a${token}b`,
				`\`\`\`\na${token}\n\`\`\``,
			])
				expect(stream(text, cuts).shownText).toBe(text);
		}
	});

	test('numbers keep their digits', () => {
		const text = '<|tool_call_start|>[list(id=12345678901234567890, x=1.50)]<|tool_call_end|>';
		expect(parse(text).calls[0]?.arguments).toBe('{"id":12345678901234567890,"x":1.50}');
	});

	test.each([
		'<tool_call>{"name":"list","arguments":{"id":12345678901234567890,"x":1}}</tool_call>',
		'[TOOL_CALLS][{"name":"list","arguments":{"id":12345678901234567890,"x":1}}]',
		'{"name":"list","parameters":{"id":12345678901234567890,"x":1}}',
	])('numbers that JavaScript cannot represent become text: %s', (text) => {
		expect(parse(text).calls[0]?.arguments).toBe('{"id":12345678901234567890,"x":1}');
		const [call] = stream(text, []).completion.toolCalls;
		expect(call?.arguments).toBe('{"id":"12345678901234567890","x":1}');
	});

	const SAMPLES = [
		'<tool_call>get_weather<arg_key>city</arg_key><arg_value>Rome</arg_value></tool_call>',
		'<|tool_call_start|>[get_weather(city="Rome")]<|tool_call_end|>',
		'<|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{"city":"Rome"}<|call|>',
		'<|tool_call>call:get_weather{city:<|"|>Rome<|"|>}<tool_call|>',
	];

	test.each(SAMPLES)('quoted, repeated or unfinished calls do not run: %s', (call) => {
		for (const count of [1, 100]) expect(parse(call.repeat(count)).calls).toHaveLength(count);
		expect(parse(call, () => 'quotation')).toMatchObject({
			text: call,
			calls: [],
			rejectedCall: { reason: 'quotation' },
		});
		expect(parse(call.repeat(101))).toMatchObject({
			calls: [],
			rejectedCall: { reason: 'tooManyCalls' },
		});
		expect(parse(call.replace('get_weather', 'rm'))).toMatchObject({
			calls: [],
			rejectedCall: { name: 'rm', reason: 'unknownTool' },
		});
		expect(parse(call.slice(0, call.indexOf('Rome') + 2))).toMatchObject({
			calls: [],
			rejectedCall: { name: 'get_weather' },
		});
	});

	test.each([...SAMPLES, '<tool_call>{"name":"list","arguments":{}}</tool_call>'])(
		'in a code block, %s is text, unless the block is the complete response',
		(call) => {
			for (const text of [
				`Like this:\n\`\`\`xml\n${call}\n\`\`\``,
				`\`\`\`\n${call}`,
				`\`\`\`\n${call}\n\`\`\`\nLike this.`,
				`\`\`\`\n${call}\n\`\`\`\n\`\`\`\n${call}\n\`\`\``,
			])
				expect(parse(text)).toMatchObject({
					text,
					calls: [],
					rejectedCall: { reason: 'inCodeBlock' },
				});
			expect(parse(`\`\`\`xml\n${call}\n\`\`\``)).toMatchObject({ text: '', calls: [{}] });
		},
	);
});

const HERMES = '<tool_call>{"name":"list","arguments":{"a":1}}</tool_call>';

describe('the text around calls', () => {
	test.each([
		[`  Sure. \n ${HERMES}`, '  Sure.'],
		[`${HERMES}\n \n${HERMES}`, ''],
		['<|tool_call_start|>[list()]<|tool_call_end|>\n\nI look. ', 'I look.'],
		[
			'<|tool_call_start|>[list()]<|tool_call_end|>\nLike this:\n```js\ncode',
			'Like this:\n```js\ncode',
		],
		[`Not a block: \`\`\` and ${HERMES}`, 'Not a block: ``` and'],
		['<|tool_call>call:list{}<tool_call|>\n <|tool_response>', ''],
	])('of %j is %j', (text, rest) => {
		const { calls, text: before } = parse(text);
		expect(calls[0]?.name).toBe('list');
		expect(before).toBe(rest);
	});

	test.each([
		`${HERMES} and ${HERMES}`,
		`${HERMES} is how it is done.`,
		'<function=list></function> and <function=list></function>',
		'<tool_call>list</tool_call> and <tool_call>list</tool_call>',
		'I call <|tool_call_start|>[list()]<|tool_call_end|> now <|tool_call_start|>[list()]<|tool_call_end|>',
		'<|tool_call>call:list{}<tool_call|> and <|tool_call>call:list{}<tool_call|>',
		'<|tool_call>call:list{}<tool_call|><|tool_call>call:list{<tool_call|>',
		'<|channel|>commentary to=functions.list<|message|>{}<|call|> and so on',
		'[TOOL_CALLS]list{}[TOOL_CALLS]or',
		'<function=list>no JSON</function>',
	])('is none of a call: %s', (text) => {
		expect(parse(text)).toMatchObject({ text, calls: [] });
	});

	test.each([
		HERMES,
		'<function=list></function>',
		'<tool_call>list</tool_call>',
		'<|tool_call_start|>[list()]<|tool_call_end|>',
		'<|tool_call>call:list{}<tool_call|>',
		'<|start|>assistant<|channel|>commentary to=functions.list<|message|>{}<|call|>',
	])('of any length makes it no call: %s', (call) => {
		const text = `Now: ${call}${'x'.repeat(call.length)}${call}`;
		expect(parse(text)).toMatchObject({ text, calls: [] });
	});

	test.each([
		['{"name":"list","arguments":{"a":1}}', '{"a":1}'],
		[' ```json\n{"name":"list","arguments":{"a":1}}\n``` ', '{"a":1}'],
		[' \n{"name":"list","arguments":{"a":1}}\n ', '{"a":1}'],
		['```json\n{"name":"list","parameters":{"a":1}}\n```', '{"a":1}'],
		['```\n[{"name":"list","arguments":{"a":1}}]```', '{"a":1}'],
		['{"function":{"name":"list","arguments":"{\\"a\\":\\"```\\"}"}}', '{"a":"```"}'],
		['{"name":"list","arguments":{}};{"name":"list","arguments":{}}', '{}'],
	])('may be nothing but JSON: %j', (text, args) => {
		expect(parse(text).calls[0]).toEqual({ name: 'list', arguments: args });
	});

	test.each([
		'{"name":"list","arguments":5}',
		'{"name":"list"}',
		'{"name":5}',
		'["list"]',
		'{"name":"list"} ok',
	])('JSON is no call: %s', (text) => {
		expect(parse(text).calls).toEqual([]);
	});
});

describe('parameters in tags', () => {
	test.each([
		['<parameter=a>\nx\n</parameter>', { a: 'x' }],
		['\n<parameter=a>\n\nx\n\ny\n\n</parameter>\n', { a: '\nx\n\ny\n' }],
		['<parameter=a>x\ny</parameter>', { a: 'x\ny' }],
		['<parameter=a>1</parameter><parameter=b>2</parameter>', { a: '1', b: '2' }],
		['<parameter=a> [1, 2] </parameter>', { a: ' [1, 2] ' }],
		['<parameter=a>x [1]</parameter>', { a: 'x [1]' }],
		['<parameter=a>[broken</parameter>', { a: '[broken' }],
		['<parameter=a>x > y</parameter>', { a: 'x > y' }],
		['<parameter name="a">1</parameter>', { a: '1' }],
		['<parameter=a><![CDATA[</parameter>]]></parameter>', { a: '</parameter>' }],
		['', {}],
		['{"a":1}', { a: 1 }],
	])('of Qwen3-Coder: %j', (content, args) => {
		for (const text of [
			`<function=list>${content}</function>`,
			`<tool_call>\n<function=list>\n${content}\n</function>\n</tool_call>`,
		]) {
			const { calls } = parse(text);
			expect(calls.map(({ name }) => name)).toEqual(['list']);
			expect(JSON.parse(calls[0]!.arguments)).toEqual(args);
		}
	});

	test.each([
		'<parameter=a>1</parameter><parameter=b>2',
		'<parameter=a>1<parameter=b>2</parameter>',
		'<parameter=a>1</parameter> and <parameter=b>2</parameter>',
		'<parameter=a>1</parameter><parameter=a>2</parameter>',
		'nothing</parameter>',
		'<parameter=a</parameter>',
		'<parameter="a>1</parameter>',
		'{"a":1',
	])('of Qwen3-Coder that are not complete: %j', (content) => {
		const text = `<function=list>${content}</function>`;
		expect(parse(text)).toMatchObject({ text, calls: [], rejectedCall: { name: 'list' } });
	});

	test.each([
		['<arg_key> a </arg_key> <arg_value>x</arg_value>', { a: 'x' }],
		['<arg_key>a</arg_key><arg_value> {"b":1} </arg_value>', { a: ' {"b":1} ' }],
	])('of GLM: %j', (content, args) => {
		const [call] = parse(`<tool_call>list${content}</tool_call>`).calls;
		expect(JSON.parse(call!.arguments)).toEqual(args);
	});

	test.each([
		'<tool_call>list\n{"name":"list","arguments":{"a":1}}</tool_call>',
		'<tool_call>list\n{"name":"get_weather","parameters":{"city":"Rome"}}</tool_call>',
		'<tool_call>list\n{"a":1} or so</tool_call>',
		'<tool_call>list\n{"a":1</tool_call>',
	])('after a name that are no complete object, or a call themselves: %j', (text) => {
		expect(parse(text)).toMatchObject({ calls: [], rejectedCall: { name: 'list' } });
	});

	test.each([
		'<arg_key>a</arg_key>',
		'<arg_key>a</arg_key><arg_value>x</arg_value> or so',
		'<arg_key><b>a</arg_key><arg_value>x</arg_value>',
		'<arg_key>a</arg_key><arg_value>x</arg_value><arg_key>b</arg_key>',
	])('of GLM that are not complete: %j', (content) => {
		expect(parse(`<tool_call>list${content}</tool_call>`).calls).toEqual([]);
	});

	test('of Harmony keep their notation, without the blanks around them', () => {
		const text = '<|channel|>commentary to=functions.list<|message|> {"a": 1.50}\n<|call|>';
		expect(parse(text).calls).toEqual([{ name: 'list', arguments: '{"a": 1.50}' }]);
		expect(parse(text.replace('1.50}', '1.50')).calls).toEqual([]);
	});
});

describe('markup that nothing reads', () => {
	/** A response with this text and a call that the server parsed. */
	const streamBeside = (content: string, args = '{"city":"Bern"}') => {
		const reader = new CompletionReader({ callableNames });
		const toolCall = { index: 0, id: 'a', function: { name: 'get_weather', arguments: args } };
		for (const delta of [{ content }, { tool_calls: [toolCall] }])
			reader.push(JSON.stringify({ choices: [{ delta }] }));
		reader.push('{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}');
		return reader.end().completion;
	};

	test.each([
		'<tool_call>{"name":"send-mail","arguments":{"to":"a"}}</tool_call>',
		'<tool_call>{"name":"get_weather","arguments":{"city":"Rome"}}</tool_call>',
		'<invoke name="list"></invoke>',
	])('is reported next to calls that the server parsed: %s', (text) => {
		expect(streamBeside(text)).toMatchObject({
			text,
			toolCalls: [{ name: 'get_weather', arguments: '{"city":"Bern"}' }],
			rejectedCall: { reason: 'otherCalls' },
		});
	});

	test.each([
		'<tool_call>{"name":"get_weather","arguments":{"city":"Bern"}}</tool_call>',
		'I look up the weather (get_weather).',
		'',
	])('is not if it repeats such a call, or is prose: %s', (text) => {
		expect(streamBeside(text)).toMatchObject({ text, rejectedCall: undefined });
	});

	test('is not reported if it repeats one of several calls, but if only the arguments are the same', () => {
		const calls = [
			{ name: 'list', arguments: '{}' },
			{ name: 'get_weather', arguments: '{"city":"Bern"}' },
		];
		const repeated = '<tool_call>{"name":"get_weather","arguments":{"city":"Bern"}}</tool_call>';
		expect(findIgnoredCall(repeated, callableNames, calls)).toBeUndefined();
		const other = repeated.replace('get_weather', 'send-mail');
		expect(findIgnoredCall(other, callableNames, calls)).toBe('send-mail');
	});

	test.each([
		'get_weather{"city":"Rome"}',
		'functions.get_weather:0{"city":"Rome"}',
		'get_weather(city="Rome")',
		'get_weather({"city":"Rome"})',
		'I look: get_weather(city="Rome")',
		'call:get_weather{city:Rome}',
		'get_weather\n{"city":"Rome"}',
		'>>>get_weather\n{"city":"Rome"}',
		'{"name":"get_weather","input":{"city":"Rome"}}',
		'[get_weather]\n{"city":"Rome"}\n[END_TOOL_REQUEST]',
		'I look.\n[get_weather] {"city": "Rome"}',
		'[TOOL_CALL]{tool => "get_weather", args => {"city":"Rome"}}[/TOOL_CALL]',
		'I look.\n[TOOL_CALL]\n{tool => "get_weather", args => {\n  --city "Rome"\n}}\n[/TOOL_CALL]',
		"[TOOL_CALL]{tool => 'get_weather', args => {",
		'{:name=>"get_weather", :arguments=>{"city"=>"Rome"}}',
		'-> tool/get_weather\n{"city": "Rome"}',
		'Tool: get_weather\n{"city":"Rome"}',
		'analysisI look.assistantcommentary to=functions.get_weatherjson{"city":"Rome"}',
		'I look.\n\nassistantcommentary to=functions.get_weatherjson{\n  "city": "Rome"\n}',
		'commentary to=functions.get_weathercode {"city":"Rome"}',
		'I look.\n<tool: get_weather Rome </tool>',
		'<<<[TOOL_REQUEST]>>>\ntool_name:<<<get_weather>>>\ncity:<<<Rome>>>\n<<<[END_TOOL_REQUEST]>>>',
		'<<<[TOOL_REQUEST]>>>\ntool_name:「始」get_weather「末」,\ncity:「始」Rome「末」\n<<<[END_TOOL_REQUEST]>>>',
	])('is reported without marks: %s', (text) => {
		expect(parse(text)).toMatchObject({
			text,
			calls: [],
			rejectedCall: { name: 'get_weather', reason: 'unknownSyntax' },
		});
	});

	test.each([
		'The tool [get_weather] needs a city.',
		'Tool: get_weather\nIt returns {"city": "Rome"}.',
		'See tool/get_weather for details.',
		'The hash {tool => "get_weather", count => 2} has two keys.',
		'- get_weather: the weather\n- list: all files',
		'Use <tool> and get_weather Rome.',
		'<tool_call> is the mark, and get_weather is a tool, as list is.',
		'The weather is {"city": "Rome", "list": {"a": 1}}.',
		'The list: {"a": 1}',
	])('is not reported in prose about a tool: %s', (text) => {
		expect(parse(text)).toEqual({ text, calls: [], rejectedCall: undefined });
	});

	test.each([
		['<tool_call>{"name":"wipe_cache"', 'wipe_cache'],
		['[TOOL_REQUEST]{"name":"wipe_cache","arguments":{"a":1}', 'wipe_cache'],
		['I wait. <tool_call>{"name":"wipe_cache","arguments":{}', 'wipe_cache'],
		['<tool_call>\n{"name": "wipe_', 'wipe_'],
		['<tool_call>{"name":"x"', 'x'],
		['<tool_call>{"arguments":{"a":1},"name":"wipe_cache"', 'wipe_cache'],
		['<|tool_call|>[{"name":"wipe_cache"', 'wipe_cache'],
		['[TOOL_CALLS][{"name":"wipe_cache"', 'wipe_cache'],
		['functools[{"name":"wipe_cache"', 'wipe_cache'],
		["<tools_call>{'name': 'wipe_cache'", 'wipe_cache'],
		[
			'<|plugin|>{\n         "name": "get_weather",\n         "arguments": {\n"city":',
			'get_weather',
		],
	])('is reported without its end, alone and next to parsed calls: %s', (text, name) => {
		const parsed = [{ name: 'wipe_cache', arguments: '{}' }];
		const offered = ['wipe_cache', 'get_weather'];
		expect(findIgnoredCall(text, offered, parsed)).toBe(name);
		expect(parse(text)).toMatchObject({
			text,
			calls: [],
			rejectedCall: { name, reason: 'brokenArguments' },
		});
	});

	test.each([
		'<tool_call>{"name:"send-mail","arguments":{"name":"Bob"}}</tool_call>',
		'<tool_call>{"name":send-mail","arguments":{"name":"Bob"}}</tool_call>',
		'[TOOL_CALLS][{name":"send-mail","arguments":{"name":"Bob"}}]',
		'<tool_call>"name":"send-mail","arguments":{"id":1}}</tool_call>',
		'[TOOL_CALLS]send-mail"at":"a"}',
	])('is reported by its own name, which others are in or beside: %s', (text) => {
		const request = { isCutOff: false, hasEnded: true, findQuotation: () => undefined };
		const decision = decideTextCalls({ ...request, text, tools: ['a', 'id', 'me', 'send-mail'] });
		expect(decision).toMatchObject({ text, calls: [], rejectedCall: { name: 'send-mail' } });
	});

	test('is no repetition of a parsed call without arguments only because of its name', () => {
		const parsed = [{ name: 'wipe_cache', arguments: '{}' }];
		const repeated = '<tool_call>{"name":"wipe_cache","arguments":{}}</tool_call>';
		expect(findIgnoredCall(repeated, ['wipe_cache'], parsed)).toBeUndefined();
		expect(findIgnoredCall('wipe_cache{"all":true}', ['wipe_cache'], parsed)).toBe('wipe_cache');
	});

	test('is searched in the first 2,000 mentions of names', () => {
		const call = '<b>list {"a":1}</b>';
		expect(parse('list. '.repeat(1_999) + call).rejectedCall?.name).toBe('list');
		expect(parse('list. '.repeat(2_000) + call).rejectedCall).toBeUndefined();
	});

	test.each([
		'<|plugin|>{"do":"get_weather"}',
		'I will look it up.\n[get_weather(city="Rome")]',
		'Now: {"action": "get_weather", "action_input": {"city": "Rome"}} .',
		'<function_call>{"tool":"send-mail","to":"a"}</function_call>',
		'<｜DSML｜invoke name="get_weather"><｜DSML｜parameter name="city">Rome</｜DSML｜parameter>',
		'<tool>get_weather</tool><args>{"city":"Rome"}</args>',
		'Action: get_weather\nAction Input: Rome',
		'I call get_weather {"city": "Rome"} now.',
		'<|DSML|tool_calls>\n<|DSML|invoke name="get_weather">\n<|DSML|parameter name="city">Rome</|DSML|parameter>',
		'commentary to=functions.get_weather json{"city":"Rome"}',
	])('is reported: %s', (text) => {
		const { calls, rejectedCall } = parse(text);
		expect(calls).toEqual([]);
		expect(rejectedCall?.name).toMatch(/get_weather|send-mail/);
	});

	test.each([
		'{"tool": "get_weather"}, and "list", "b": 1',
		'<|assistant|>get_weather is a tool.',
		'<|assistant|>my_get_weather {"city":"Rome"}',
		'<|assistant|>list them:\n```\ncode\n```',
		'(see below) get_weather\n```js\n```',
		'<b>"get_weather" is a tool</b>',
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

describe('what is complete in itself', () => {
	const PAIRS = '<tool_call>list\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>';

	test.each([
		{ what: 'JSON without the mark at its end', text: '<tool_call>{"name":"list","arguments":{}}' },
		{ what: 'arguments under `args`', text: '<tool_call>{"name":"list","args":{}}</tool_call>' },
		{ what: 'such JSON as the complete response', text: '{"name":"list","args":{}}' },
		{ what: 'pairs of keys and values with the mark at their end', text: `${PAIRS}</tool_call>` },
	])('runs: $what', ({ text }) => {
		expect(parse(text)).toMatchObject({ calls: [{ name: 'list' }] });
	});

	test.each([PAIRS, `${PAIRS}\n`])(
		'is not a list of pairs without the mark at its end, which may go on: %s',
		(text) => {
			expect(parse(text)).toMatchObject({
				text,
				calls: [],
				rejectedCall: { name: 'list', reason: 'noEnd' },
			});
		},
	);
});
