/** A call of each family, as its models write it, and any mixture of what they write. */
import fc from 'fast-check';

import { cutCallIn } from '../../../../lib/chat/answer/cut-call';
import { FAMILIES } from '../../../../lib/chat/text-formats/families';
import { familyOf } from '../../../../lib/chat/text-formats/family-of';
import { Source } from '../../../../lib/chat/text-formats/source';
import { MarkupTracker } from '../../../../lib/chat/text-formats/markup-tracker';
import { examples } from '../../../support/properties';
import { everyCut, readPieces, TOOLS } from './read';

const J = '{"name":"w","arguments":{"city":"Rome"}}';
const P = '{"name":"w","parameters":{"city":"Rome"}}';
const ROME = 'w {"city":"Rome"}';
const TWO = [ROME, 'n {}'];
const invoke = (prefix: string) =>
	`<${prefix}invoke name="w">\n<${prefix}parameter name="city">Rome</${prefix}parameter>\n</${prefix}invoke>`;

const FUNCTION_GEMMA = '<start_function_call>call:w{city:<escape>Rome<escape>}<end_function_call>';
const HUNYUAN =
	'<tool_calls>\n<tool_call>w<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>\n<tool_call>n<tool_sep>\n</tool_call>\n</tool_calls>';

/** What the models write, by family, with the calls that it is. */
const WRITTEN: Array<[family: string, written: string, calls?: string[]]> = [
	[
		'harmony',
		'<|start|>assistant<|channel|>commentary to=functions.w<|message|>{"city":"Rome"}<|call|>',
	],
	[
		'harmony',
		'<|start|>assistant to=functions.w<|channel|>commentary json<|message|>{"city":"Rome"}<|call|>',
	],
	['harmony', 'to=functions.w<|channel|>commentary json<|message|>{"city":"Rome"}'],
	['qwen3Coder', '<function=w>\n<parameter=city>\nRome\n</parameter>\n</function>'],
	[
		'qwen3Coder',
		'<tool_call><function=w><parameter=city>Rome</parameter></function></tool_call>\n<tool_call>\n<function=n>\n</function>\n</tool_call>',
		TWO,
	],
	[
		'seedOss',
		'<seed:tool_call>\n<function=w>\n<parameter=city>Rome</parameter>\n</function>\n</seed:tool_call><seed:eos>',
	],
	['miniCpm5', '<function name="w"><param name="city"><![CDATA[Rome]]></param></function>'],
	['muse', `<atem:function_calls>${invoke('atem:')}</atem:function_calls>`],
	[
		'deepSeekDsml',
		'<｜DSML｜tool_calls>\n<｜DSML｜invoke name="w">\n<｜DSML｜parameter name="city" string="true">Rome</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>',
	],
	[
		'deepSeekDsml',
		'<||DSML||invoke name="w"><||DSML||parameter name="city" string="true">Rome</||DSML||parameter></||DSML||invoke>',
	],
	[
		'deepSeek',
		'<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>w<｜tool▁sep｜>{"city":"Rome"}<｜tool▁call▁end｜><｜tool▁call▁begin｜>n<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
		TWO,
	],
	[
		'deepSeek',
		'<｜tool_calls_begin｜><｜tool_call_begin｜>w<｜tool_sep｜>{"city":"Rome"}<｜tool_call_end｜><｜tool_calls_end｜>',
	],
	['deepSeek', 'functionw\n```json\n{"city":"Rome"}\n```'],
	['functionary', '>>>w\n{"city":"Rome"}'],
	['functionary', 'w\n{"city":"Rome"}'],
	['llama4', '<|python_start|>[w(city="Rome"), n()]<|python_end|>', TWO],
	['llama4', P],
	['olmo3', '<function_calls>\nw(city="Rome")\nn()\n</function_calls>', TWO],
	['olmo3', "<function_calls>w(city='Rome')</function_calls>"],
	['olmo3', '<function_calls>[w(city="Rome"), n()]</function_calls><|im_end|>', TWO],
	['llama3', `<|python_tag|>${P}<|eom_id|>`],
	['llama3', '{"type":"function","function":{"name":"w","parameters":{"city":"Rome"}}}'],
	['llama3', '<function=w>{"city":"Rome"}</function>'],
	[
		'mistral',
		`[TOOL_CALLS][${J.replace('}}', '},"id":"a1b2c3d4e"}')}, {"name":"n","arguments":{}}]`,
		TWO,
	],
	[
		'mistral',
		'[TOOL_CALLS]w[CALL_ID]a1b2c3d4e[ARGS]{"city": "Rome"}[TOOL_CALLS]n[ARGS]{}</s>',
		TWO,
	],
	['mistral', `[${J}]`],
	[
		'kimiK2',
		'<|tool_calls_section_begin|><|tool_call_begin|>functions.w:0<|tool_call_argument_begin|>{"city":"Rome"}<|tool_call_end|><|tool_call_begin|>functions.n:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>',
		TWO,
	],
	['kimiK2', 'functions.w:0{"city":"Rome"}'],
	[
		'kimiK3',
		'<|open|>tools<|sep|><|open|>call tool="w" index="0"<|sep|><|open|>argument key="city" type="string"<|sep|>Rome<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>',
	],
	[
		'glm',
		'<tool_call>w<arg_key>city</arg_key><arg_value>Rome</arg_value></tool_call><tool_call>n</tool_call><|observation|>',
		TWO,
	],
	[
		'miniMaxM2',
		`<minimax:tool_call>\n${invoke('')}\n<invoke name="n">\n</invoke>\n</minimax:tool_call>`,
		TWO,
	],
	['miniMaxM2', '[TOOL_CALL]{"tool":"w","args":{"city":"Rome"}}[/TOOL_CALL]'],
	['toolCallsList', `<tool_calls>[${J}]</tool_calls>`],
	['toolCallsList', `<tool_calls>\n${J}\n{"name":"n","arguments":{}}\n</tool_calls>`, TWO],
	[
		'gemma4',
		'<|tool_call>call:w{city:<|"|>Ro"me<|"|>,days:3}<tool_call|>',
		['w {"city":"Ro\\"me","days":3}'],
	],
	['functionGemma', FUNCTION_GEMMA],
	[
		'functionGemma',
		`${FUNCTION_GEMMA}<start_function_call>call:n{}<end_function_call><start_function_response>`,
		TWO,
	],
	['gemma3', '[w(city="Rome"), n()]', TWO],
	['gemma3', P],
	['hunyuan3', HUNYUAN, TWO],
	[
		'hunyuan3',
		HUNYUAN.replaceAll('>', ':opensource>').replaceAll('<tool_sep:opensource>\n', ''),
		TWO,
	],
	['phi4', `functools[${J}]`],
	['phi4', `<|tool_call|>[${J}]<|/tool_call|>`],
	['granite3', `<|tool_call|>[${J}]`],
	[
		'command',
		'<|START_ACTION|>[{"tool_call_id":"0","tool_name":"w","parameters":{"city":"Rome"}}]<|END_ACTION|>',
	],
	['nemotronNano2', `<TOOLCALL>[${J}]</TOOLCALL>`],
	['lfm2', '<|tool_call_start|>[w(city="Rome"), n()]<|tool_call_end|>', TWO],
	['lfm2', `<|tool_call_start|>[${J}]<|tool_call_end|>`],
	['apertus', '<|tools_prefix|>[{"w": {"city":"Rome"}}, {"n": {}}]<|tools_suffix|>', TWO],
	['internLm', `<|action_start|><|plugin|>\n${P}<|action_end|><|im_end|>`],
	['internLm', `<|action_start|> <|plugin|>\n${P}<|action_end|>`],
	['gigaChat3', `function call<|role_sep|>\n${J}`],
	[
		'solar',
		'<|tool_call:begin|>a1<|tool_call:name|>w<|tool_call:args|>{"city":"Rome"}<|tool_call:end|>',
	],
	['xLam', `[TOOL_CALLS][${J}]`],
	['hermes', `<tool_call>\n${J}\n</tool_call><|im_end|>`],
	['hermes', J],
	['lmStudio', `[TOOL_REQUEST]${J}[END_TOOL_REQUEST]`],
];

/** What is told only: an example looks the same. */
const SHOWN: Array<[family: string, written: string]> = [
	['commandRPlus', 'Action: ```json\n[{"tool_name":"w","parameters":{"city":"Rome"}}]\n```'],
	['gemma3', '```tool_code\nprint(w(city="Rome"))\n```'],
	['gemma3', '```tool_code\nw(city="Rome")\n```'],
	['gemma3', `\`\`\`json\n${J}\n\`\`\``],
];

describe('a call in a block of code', () => {
	it.each(SHOWN)('%s: %s is reported and not run', (family, written) => {
		for (const pieces of [[written], ...everyCut(written)])
			expect(readPieces(pieces, { family })).toMatchObject({
				text: written,
				calls: [],
				note: 'quoted',
				noted: family,
			});
	});

	it('the pseudo tool of Command R+ is not a call', () => {
		const text = 'Action: ```json\n[{"tool_name":"directly-answer","parameters":{}}]\n```';
		expect(readPieces([text], { family: 'commandRPlus' })).toEqual({
			text,
			reasoning: '',
			calls: [],
		});
	});
});

describe('a call as its models write it', () => {
	it('every family has one', () => {
		expect([...new Set([...WRITTEN, ...SHOWN].map(([family]) => family))].sort()).toEqual(
			FAMILIES.map(({ id }) => id).sort(),
		);
	});

	it.each(WRITTEN)('%s: %s', (family, written, calls = [ROME]) => {
		expect(readPieces([written], { family })).toEqual({ text: '', reasoning: '', calls });
		for (const pieces of everyCut(written))
			expect(readPieces(pieces, { family }).calls).toEqual(calls);
	});

	it.each(WRITTEN)(
		'%s: %s is none in a fence, in a list, in a quotation and in front of text',
		(family, written) => {
			const quotations = [
				`\`\`\`\n${written}\n\`\`\``,
				`- ${written}`,
				`> ${written}`,
				`“${written}”`,
				`${written}\nThat is how.`,
			];
			for (const text of quotations)
				expect(readPieces([text], { family })).toMatchObject({ text, calls: [] });
			expect(readPieces([written], { family, input: [`It says ${written}!`] })).toMatchObject({
				text: written,
				calls: [],
				note: 'inInput',
			});
		},
	);
});

describe('whose format a model writes', () => {
	it.each([
		['gpt-oss-20b', 'harmony'],
		['qwen3:8b', 'hermes'],
		['unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF', 'qwen3Coder'],
		['Qwen2.5-Coder-7B', 'hermes'],
		['Meta-Llama-3.1-8B-Instruct', 'llama3'],
		['Llama-4-Scout', 'llama4'],
		['mistral-small3.2', 'mistral'],
		['GLM-4.5-Air', 'glm'],
		['DeepSeek-V3.2-Exp', 'deepSeekDsml'],
		['DeepSeek-R1-0528', 'deepSeek'],
		['allenai/Olmo-3-7B-Instruct', 'olmo3'],
		['tencent/Hy3-preview', 'hunyuan3'],
		['Hunyuan-A13B-Instruct', 'toolCallsList'],
		['google/functiongemma-270m-it', 'functionGemma'],
		['gemma3:12b', 'gemma3'],
		['c4ai-command-r-plus-08-2024', 'commandRPlus'],
		['c4ai-command-r7b-12-2024', 'command'],
		['command-a-03-2025', 'command'],
		['my-model', undefined],
	])('the name %s', (model, id) => {
		expect(familyOf({ model })?.id).toBe(id);
	});

	it('is told by the template, then by the name', () => {
		expect(familyOf({ model: 'qwen3', template: 'x [TOOL_CALLS] y' })?.id).toBe('mistral');
		expect(familyOf({ model: 'qwen3', template: 'no marker' })?.id).toBe('hermes');
		expect(familyOf({ model: 'x', fallback: 'lmStudio' })?.id).toBe('lmStudio');
	});
});

describe('any mixture', () => {
	const parts = fc.constantFrom(
		...WRITTEN.map(([, written]) => written),
		...[
			'<tool_call>',
			'</tool_call>',
			'<function=',
			'w',
			'[TOOL_CALLS]',
			'[ARGS]',
			'<|python_tag|>',
			'{',
			'{"name":"n",',
			'[w(',
		],
		...[
			'```',
			'`',
			'\n',
			' ',
			'<',
			'"',
			'> ',
			'- ',
			'<pre>',
			'</pre>',
			'Text. ',
			'<|im_end|>',
			'<think>',
			'</think>',
			';',
		],
	);
	const texts = fc.array(parts, { maxLength: 6 }).map((all) => all.join(''));
	const family = fc.constantFrom(undefined, ...FAMILIES.map(({ id }) => id));

	it('is parsed the same wherever it is cut, and the rest is text', () => {
		fc.assert(
			fc.property(
				texts,
				fc.array(fc.nat({ max: 600 }), { maxLength: 12 }),
				family,
				fc.constantFrom('stop', 'length'),
				(text, at, id, finish) => {
					const given = { ...(id === undefined ? {} : { family: id }), finish };
					const places = [0, ...at.filter((cut) => cut <= text.length), text.length].sort(
						(a, b) => a - b,
					);
					const whole = readPieces([text], given);
					expect(
						readPieces(
							places.slice(1).map((end, index) => text.slice(places[index], end)),
							given,
						),
					).toEqual(whole);
					expect(readPieces(text.split(''), given)).toEqual(whole);
					// The failure names a call that the token limit cut off, and its text is not shown.
					const isCutCall = finish === 'length' && cutCallIn(text, TOOLS) !== undefined;
					if (
						!isCutCall &&
						whole.calls.length === 0 &&
						whole.reasoning === '' &&
						!/<\|(?:start|channel)\|>|think/.test(text)
					)
						expect(whole.text).toBe(text.replace(/^[\r\n]+/, ''));
				},
			),
			examples(300),
		);
	});
});

describe('the work for a long answer', () => {
	/** How many characters the readers look at, for each character of the text. */
	const effort = (text: string, family: string, size: number) => {
		let steps = 0;
		// Plain functions: a spy of jest remembers each of millions of calls.
		Source.prototype.peek = function () {
			steps += 1;
			return original.call(this);
		};
		MarkupTracker.prototype.push = function (piece) {
			steps += piece.length;
			originalPush.call(this, piece);
		};
		const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
			text.slice(at * size, at * size + size),
		);
		expect(readPieces(pieces, { family })).toMatchObject({ text, calls: [] });
		return steps / text.length;
	};
	afterEach(() => {
		Source.prototype.peek = original;
		MarkupTracker.prototype.push = originalPush;
	});
	const original = Source.prototype.peek;
	const originalPush = MarkupTracker.prototype.push;

	it.each(FAMILIES.map(({ id }) => id))('F59: text with brackets, %s', (id) => {
		const text = 'a < b, [x], {y} '.repeat(2_000).trimEnd();
		for (const size of [7, text.length]) expect(effort(text, id, size)).toBeLessThan(20);
	});

	it.each(['hermes', 'glm', 'qwen3Coder', 'mistral'])(
		'F60: openings of calls without any call, %s',
		(id) => {
			const text = '<tool_call>'.repeat(20_000);
			for (const size of [7, text.length]) expect(effort(text, id, size)).toBeLessThan(20);
			expect(
				effort('<tool_call>{"name":"w","arguments":{"city":"\n'.repeat(3_000), id, 5),
			).toBeLessThan(200);
		},
	);
});
