import fc from 'fast-check';

import { TextToolCalls } from '../../../../lib/chat/answer/text-tool-calls';
import type { ToolDefinition } from '../../../../lib/chat/types';
import { process } from '../../../support/node';
import { examples } from '../../../support/properties';
import { answerOf, assemble, delta, DONE, failureOf, finish, piece } from '../assemble';

const tools: ToolDefinition[] = [
	{
		name: 'get_weather',
		parameters: {
			type: 'object',
			properties: {
				city: { type: 'string' },
				days: { type: 'integer' },
				exact: { type: 'boolean' },
				place: { type: 'object' },
				limit: { anyOf: [{ type: 'number' }, { type: 'null' }] },
			},
			required: ['city'],
		},
	},
	{ name: 'get_time', parameters: { type: 'object', properties: {} } },
];

function read(pieces: readonly string[], isCut = false) {
	const reader = new TextToolCalls(tools);
	const text = pieces.map((each) => reader.push(each)).join('') + reader.end(isCut);
	return { text, calls: reader.calls.map(({ name, arguments: args }) => `${name} ${args}`) };
}

const ROME = 'get_weather {"city":"Rome"}';
const json = '{"name": "get_weather", "arguments": {"city": "Rome"}}';
const hermes = `<tool_call>\n${json}\n</tool_call>`;

/** As the models wrote them. */
const WRITTEN: Array<[string, string, string[], string]> = [
	['Hermes, Qwen', hermes, [ROME], ''],
	['Hermes behind text', `Let me check.\n${hermes}`, [ROME], 'Let me check.\n'],
	['two in a row', `${hermes}\n${hermes}`, [ROME, ROME], ''],
	['text between and behind', `A ${hermes}\nB ${hermes} C`, [ROME, ROME], 'A \nB  C'],
	[
		'several in one tag',
		`<tool_call>${json}\n{"name":"get_time","arguments":{}}</tool_call>`,
		[ROME, 'get_time {}'],
		'',
	],
	['a list in a tag', `<tool_call>[${json}]</tool_call>`, [ROME], ''],
	['without its closing tag, which is a token', `<tool_call>\n${json}\n`, [ROME], ''],
	['parameters', `<tool_call>{"name":"get_weather","parameters":{"city":"Rome"}}</tool_call>`, [ROME], ''],
	[
		'arguments as text',
		`<tool_call>{"name":"get_weather","arguments":"{\\"city\\":\\"Rome\\"}"}</tool_call>`,
		[ROME],
		'',
	],
	[
		"OpenAI's form",
		`<tool_call>{"type":"function","function":{"name":"get_time","arguments":{}}}</tool_call>`,
		['get_time {}'],
		'',
	],
	['a tool without arguments', '<tool_call>{"name":"get_time"}</tool_call>', ['get_time {}'], ''],
	[
		'the closing tag in a value',
		'<tool_call>{"name":"get_weather","arguments":{"city":"</tool_call>"}}</tool_call>',
		['get_weather {"city":"</tool_call>"}'],
		'',
	],
	['Llama 3.1', '<function=get_weather>{"city": "Rome"}</function>', [ROME], ''],
	[
		'Qwen3-Coder',
		'<tool_call>\n<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n<parameter=exact>\nTrue\n</parameter>\n<parameter=place>\n{"a": 1}\n</parameter>\n<parameter=limit>\nnull\n</parameter>\n</function>\n</tool_call>',
		['get_weather {"city":"Rome","days":3,"exact":true,"place":{"a":1},"limit":null}'],
		'',
	],
	[
		'Qwen3-Coder without the outer tag, with tags in a value',
		'<function=get_weather><parameter=city>a </parameter> b\n2</parameter></function>',
		['get_weather {"city":"a </parameter> b\\n2"}'],
		'',
	],
	[
		'numbers stay text where a text is asked for',
		'<function=get_weather><parameter=city>123</parameter></function>',
		['get_weather {"city":"123"}'],
		'',
	],
	['Qwen3-Coder without parameters', '<function=get_time>\n</function>', ['get_time {}'], ''],
	['Mistral', `[TOOL_CALLS][${json}, {"name":"get_time","arguments":{},"id":"abc"}]`, [ROME, 'get_time {}'], ''],
	[
		'Mistral, newer',
		'[TOOL_CALLS]get_weather[ARGS]{"city": "Rome"}[TOOL_CALLS]get_time[CALL_ID]x1[ARGS]{}',
		[ROME, 'get_time {}'],
		'',
	],
	['Mistral, between', 'Sure. [TOOL_CALLS] get_weather{"city": "Rome"}', [ROME], 'Sure. '],
	['Llama 3', '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Rome"}}<|eom_id|>', [ROME], ''],
	[
		'Llama 3, two',
		'<|python_tag|>{"name": "get_weather", "parameters": {"city": "Rome"}}; {"name":"get_time","parameters":{}}',
		[ROME, 'get_time {}'],
		'',
	],
];

/** What stays text. */
const TEXTS = [
	'Hello.',
	'<tool_call>',
	'<tool_call></tool_call>',
	'<tool_call>{"name": "get_weather", "arguments": {"city": "Ro',
	'<tool_call>{"name": "rm_rf", "arguments": {}}</tool_call>',
	'<tool_call>{"name": "get_weather", "arguments": ["Rome"]}</tool_call>',
	'<tool_call>{"name": "get_weather"}</tool_call>',
	'<tool_call>{"name": "get_weather", "arguments": {bad}}</tool_call>',
	`<tool_call>${json} and so on</tool_call>`,
	'<tool_call>{"name":"get_time","description":"x","parameters":{"type":"object","properties":{}}}</tool_call>',
	`<tool_call>[${json}, 1]</tool_call>`,
	'The tag <tool_call> begins a call.',
	`\`\`\`xml\n${hermes}\n\`\`\`\n`,
	`Write \`${hermes.replaceAll('\n', '')}\` so.`,
	'~~~\n[TOOL_CALLS]get_time[ARGS]{}\n~~~',
	'<function=other>{}</function>',
	'<function=get_time>{}',
	'<function=get_time>[]</function>',
	'<function=get_weather><parameter=city>Rome</function>',
	'[TOOL_CALLS] is what Mistral writes.',
	'[TOOL_CALLS]get_time is a tool.',
	'[TOOL_CALLS]get_time',
	'[TOOL_CALLS]other[ARGS]{}',
	'<|python_tag|>print(1)',
	'<|python_tag|>brave_search.call(query="x")',
	'a < b <| c [TOOL',
];

describe('calls that the model wrote into its text', () => {
	it.each(WRITTEN)('%s', (_who, written, calls, text) => {
		expect(read([written])).toEqual({ text, calls });
		expect(read([...written])).toEqual({ text, calls });
	});

	it.each(TEXTS)('stays text: %j', (text) => {
		expect(read([text])).toEqual({ text, calls: [] });
		expect(read([...text])).toEqual({ text, calls: [] });
	});

	it('half a call is none, also where the token limit cut it behind its arguments', () => {
		const unclosed = `<tool_call>\n${json}\n`;
		expect(read([unclosed], true)).toEqual({ text: unclosed, calls: [] });
		for (let length = 1; length < hermes.length - '\n</tool_call>'.length; length++) {
			const half = hermes.slice(0, length);
			expect(read([half])).toEqual({ text: half, calls: [] });
		}
	});

	it('text is given out while it streams, and only what may be markup is held back', () => {
		const reader = new TextToolCalls(tools);
		expect(reader.push('Let me ')).toBe('Let me ');
		expect(reader.push('see <')).toBe('see ');
		expect(reader.push('b> and <tool')).toBe('<b> and ');
		expect(reader.push('_call>')).toBe('');
		expect(reader.push(json)).toBe('');
		expect(reader.push('</tool_call>')).toBe('');
		expect(reader.push('\n')).toBe('');
		expect(reader.push('Done')).toBe('\nDone');
		expect(reader.calls).toHaveLength(1);
	});

	it('nothing is read where no tool is offered', () => {
		const reader = new TextToolCalls([]);
		expect(reader.push(hermes)).toBe(hermes);
	});

	it('any mixture, cut anywhere, gives the same', () => {
		const parts = fc.constantFrom(
			...WRITTEN.map(([, written]) => written),
			...TEXTS,
			'<tool_call>',
			'</tool_call>',
			'<function=',
			'get_time',
			'[TOOL_CALLS]',
			'[ARGS]',
			'<|python_tag|>',
			'{"name":"get_time","arguments":{}}',
			'```',
			'`',
			'\n',
			' ',
			'<',
			';',
		);
		const texts = fc.array(parts, { maxLength: 8 }).map((all) => all.join(''));
		fc.assert(
			fc.property(texts, fc.array(fc.nat({ max: 600 }), { maxLength: 20 }), fc.boolean(), (text, at, isCut) => {
				const places = [0, ...at.filter((cut) => cut <= text.length), text.length].sort((a, b) => a - b);
				const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
				expect(read(pieces, isCut)).toEqual(read([text], isCut));
				expect(read([...text], isCut)).toEqual(read([text], isCut));
			}),
			examples(500),
		);
	});

	it.each([
		[
			'a call of 200 KB',
			[
				`<tool_call>{"name":"get_weather","arguments":{"city":"`,
				...Array.from({ length: 50_000 }, () => '}]>{'),
				'"}}</tool_call>',
			],
		],
		['openings that are none', Array.from({ length: 20_000 }, () => '<tool_call>{')],
		[
			'a call that never ends',
			['<function=get_weather><parameter=city>', ...Array.from({ length: 50_000 }, () => '</parameter>')],
		],
	])('costs no more than the text is long: %s', (_what, pieces) => {
		// By the processor's time, which other work on the machine leaves alone.
		const before = process.cpuUsage();
		read(pieces);
		const { user, system } = process.cpuUsage(before);
		expect((user + system) / 1000).toBeLessThan(3_000);
	});
});

describe('an answer with a call in its text', () => {
	const toolsInText = tools;
	const said = (content: string, reason = 'stop', ...more: object[]) =>
		assemble([delta({ content }), ...more, finish(reason), DONE], { toolsInText });

	it('is a call with an id of its own, and the markup is not shown', () => {
		const assembled = said(`Let me check.\n${hermes}`);
		expect(answerOf(assembled)).toMatchObject({
			text: 'Let me check.\n',
			toolCalls: [{ id: expect.stringMatching(/^made-/) as string, name: 'get_weather', arguments: '{"city":"Rome"}' }],
			notes: [],
		});
		expect(assembled.text).toBe('Let me check.\n');
		expect(assembled.assembly.markupInText).toBe('toolCallTag');
		expect(answerOf(said(hermes))).toMatchObject({ text: '', toolCalls: [{ name: 'get_weather' }] });
	});

	it('behind its thinking, too', () => {
		expect(answerOf(said(`<think>\n${hermes}?\n</think>\n\n${hermes}`))).toMatchObject({
			text: '',
			reasoning: `\n${hermes}?\n`,
			toolCalls: [{ name: 'get_weather' }],
		});
	});

	it('that the server read as well is one call', () => {
		const own = piece(0, { name: 'get_weather', arguments: '{ "city": "Rome" }' }, { id: 'a' });
		expect(answerOf(said(hermes, 'tool_calls', own)).toolCalls).toEqual([
			{ id: 'a', name: 'get_weather', arguments: '{ "city": "Rome" }' },
		]);
	});

	it('stays text where it is half, where it is unknown, and without tools, with a note', () => {
		const half = hermes.slice(0, 40);
		expect(answerOf(said(half))).toMatchObject({
			text: half,
			toolCalls: [],
			notes: [expect.stringContaining('did not recognise')],
		});
		expect(answerOf(said(half, 'length')).toolCalls).toEqual([]);
		expect(answerOf(assemble([delta({ content: hermes }), finish('stop'), DONE])).text).toBe(hermes);
	});

	it.each([
		'<|tool_calls_section_begin|><|tool_call_begin|>functions.get_time:0',
		'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function',
		'<minimax:tool_call><invoke name="get_time">',
		'<|python_tag|>get_time.call()',
		'<|tool_call|>[{"name":"get_time"}]',
	])('is noted in forms that are not read: %s', (text) => {
		expect(answerOf(said(text))).toMatchObject({ text, notes: [expect.stringContaining('did not recognise')] });
	});

	it('is in the details of a failure as far as it had arrived', () => {
		expect(failureOf(assemble([delta({ content: hermes.slice(0, 40) })], { toolsInText }))).toMatchObject({
			kind: 'streamEndedEarly',
			text: hermes.slice(0, 40),
		});
	});
});
