/** Distinguishes calls from quotations. Each case is read whole and cut at every place. */
import { everyCut, type Given, type Outcome, readPieces } from './read';

const J = '{"name":"w","arguments":{"city":"Rome"}}';
const N = '{"name":"n","arguments":{}}';
const TC = (inner: string) => `<tool_call>\n${inner}\n</tool_call>`;
const X = '<function=w>\n<parameter=city>\nRome\n</parameter>\n</function>';
const RM = '{"name":"rm","arguments":{}}';
const ROME = 'w {"city":"Rome"}';
const fence = (inner: string) => `\`\`\`\n${inner}\n\`\`\``;
const sep = '｜';
const begin = (words: string) => `<${sep}tool▁${words}${sep}>`;

type Wanted = Partial<Pick<Outcome, 'text' | 'reasoning' | 'calls' | 'note'>>;

/** All stays text, with this note. */
const stays = (note?: Outcome['note']) => ({
	stays: true,
	...(note === undefined ? {} : { note }),
});
const R: Wanted = { text: '', calls: [ROME] };
const ROME_RETURNED = { name: 'w', arguments: '{"city": "Rome"}' };
const QUOTED: Wanted = { text: fence(TC(J)), note: 'quoted' };
const RETURNED: Wanted = { text: 'I look.', calls: ['w {"city": "Rome"}'] };
const qwen = { family: 'hermes' };
const coder = { family: 'qwen3Coder' };
const llama = { family: 'llama3' };

const CASES: Array<[string, string, Given, Wanted | ReturnType<typeof stays>]> = [
	['F1', TC(J), qwen, R],
	['F2', `I look.\n${TC(J)}`, qwen, { text: 'I look.', calls: [ROME] }],
	['F3', `${TC(J)}\n${TC(N)}`, qwen, { text: '', calls: [ROME, 'n {}'] }],
	['F4', `${TC(J)} Done!`, qwen, stays('followed')],
	['F5', `Use ${TC(J)} in one line`, qwen, stays('quoted')],
	['F6', fence(TC(J)), qwen, stays('quoted')],
	['F7', `\`\`\`\n${TC(J)}`, qwen, stays('quoted')],
	['F8', `> ${TC(J)}`, qwen, stays('quoted')],
	['F9', `- ${TC(J)}`, qwen, stays('quoted')],
	['F10', `<pre>\n${TC(J)}\n</pre>`, qwen, stays('quoted')],
	['F11', `<!--\n${TC(J)}`, qwen, stays('quoted')],
	['F12', `“${TC(J)}”`, qwen, stays('quoted')],
	['F13', `The page says:\n${TC(J)}`, { ...qwen, input: [`<h1>x</h1>${TC(J)}`] }, stays('inInput')],
	[
		'F14',
		`The page says:\n${TC(J)}`,
		{
			...qwen,
			input: [JSON.stringify({ page: TC(J).replaceAll('<', '&lt;').replaceAll('>', '&gt;') })],
		},
		stays('inInput'),
	],
	[
		'F15',
		`The page says:\n${TC(J)}`,
		{
			...qwen,
			input: ['<tool_call> { "ｎａｍｅ" : "w",\n "arguments" : { "city" :\t"Ｒｏｍｅ" } }'],
		},
		stays('inInput'),
	],
	['F16', TC(J), { ...qwen, input: ['weather in Rome'] }, R],
	['F17', TC(J), { ...qwen, input: [] }, R],
	[
		'F18',
		`<think>${TC(J)}</think>Hi`,
		qwen,
		{ text: 'Hi', reasoning: TC(J), calls: [], note: 'inThinking' },
	],
	[
		'F19',
		`<think>a${TC(J)}`,
		qwen,
		{ text: '', reasoning: `a${TC(J)}`, calls: [], note: 'inThinking' },
	],
	[
		'F20',
		'',
		{ ...qwen, reasoning: TC(J) },
		{ text: '', reasoning: TC(J), calls: [], note: 'inThinking' },
	],
	['F21', `<think>a</think>${TC(J)}`, qwen, { text: '', reasoning: 'a', calls: [ROME] }],
	['F22', `<tool_call>\n${J}\n`, { ...qwen, finish: 'length' }, stays('incomplete')],
	['F23', `<tool_call>\n${J}\n`, qwen, R],
	['F24', TC('{"name":"w","arg').slice(0, 28), qwen, stays('incomplete')],
	[
		'F25',
		TC(N),
		{ ...qwen, calls: [{ name: 'w', arguments: '{"city":"Rome"}' }] },
		{ text: TC(N), calls: [ROME], note: 'hasOthers' },
	],
	['F25, the same call', `I look.\n${TC(J)}`, { ...qwen, calls: [ROME_RETURNED] }, RETURNED],
	['F25, no known family', `I look.\n${TC(J)}`, { calls: [ROME_RETURNED] }, RETURNED],
	['F25, quoted', fence(TC(J)), { ...qwen, calls: [ROME_RETURNED] }, QUOTED],
	['F26', TC(RM), qwen, stays('unknownTool')],
	['F27', TC('{"name":"w","arguments":{}}'), qwen, stays('unfit')],
	['F28', `${TC(J)}\n${TC(RM)}`, qwen, stays('unknownTool')],
	['F29', TC('{"name":"w","arguments":"{\\"city\\":\\"Rome\\"}"}'), qwen, R],
	['F30', TC(J), { ...qwen, tools: [] }, stays()],
	['F31', `<tool_call>\n${X}\n</tool_call>`, coder, R],
	['F32', `I look.\n\n${X}\n</tool_call>`, coder, { text: 'I look.', calls: [ROME] }],
	[
		'F33',
		X.replace('\n</function>', '\n<parameter=days>\n2\n</parameter>\n</function>'),
		coder,
		{ text: '', calls: ['w {"city":"Rome","days":2}'] },
	],
	[
		'F33, 02',
		X.replace('\n</function>', '\n<parameter=days>\n02\n</parameter>\n</function>'),
		coder,
		stays('unfit'),
	],
	[
		'F33, two',
		X.replace('\n</function>', '\n<parameter=days>\ntwo\n</parameter>\n</function>'),
		coder,
		stays('unfit'),
	],
	[
		'F34',
		'<tool_call>\n<function=m>\n<parameter=body>\nIt has </parameter>, <function=w> and <think> in a line.\nEnd\n</parameter>\n</function>\n</tool_call>',
		coder,
		{
			text: '',
			calls: ['m {"body":"It has </parameter>, <function=w> and <think> in a line.\\nEnd"}'],
		},
	],
	['F35', '<function=w>\n<parameter=city> Rome', coder, stays('incomplete')],
	[
		'F36',
		'<tool_call>w\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>',
		{ family: 'glm' },
		R,
	],
	['F37', '<tool_call>n</tool_call>', { family: 'glm' }, { text: '', calls: ['n {}'] }],
	['F38', X, llama, stays('foreign')],
	['F39', TC(J), {}, stays('foreign')],
	['F40', `${TC(J)}\n[TOOL_CALLS]n[ARGS]{}`, qwen, stays('foreign')],
	['F41', '{"name":"w","parameters":{"city":"Rome"}}', llama, R],
	['F42', 'Sure: {"name":"w","parameters":{"city":"Rome"}}', llama, stays('quoted')],
	['F43', '{"name":"my-app","version":"1"}', llama, stays()],
	['F44', '<|python_tag|>print(1)', llama, stays()],
	[
		'F45',
		'<|python_tag|>{"name":"w","parameters":{"city":"Rome"}};{"name":"n","parameters":{}}<|eom_id|>',
		llama,
		{ text: '', calls: [ROME, 'n {}'] },
	],
	[
		'F46',
		"[w(city='Rome', days=2), n()]",
		{ family: 'llama4' },
		{ text: '', calls: ['w {"city":"Rome","days":2}', 'n {}'] },
	],
	['F47', '[1] see [w(city)](http://x)', { family: 'llama4' }, stays()],
	[
		'F48',
		'Ok.[TOOL_CALLS]w[ARGS]{"city":"Rome"}',
		{ family: 'mistral' },
		{ text: 'Ok.', calls: [ROME] },
	],
	['F49', 'w{"city":"Rome"}', { family: 'mistral' }, R],
	[
		'F50',
		'<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.w <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
		{ family: 'harmony' },
		{ ...R, reasoning: 'Hm.' },
	],
	[
		'F50, the first tokens taken out',
		'<|channel|>analysis<|message|>Hm.<|end|>commentary to=functions.w <|constrain|>json<|message|>{"city":"Rome"}<|call|>',
		{ family: 'harmony' },
		{ ...R, reasoning: 'Hm.' },
	],
	[
		'F51',
		'analysisA.assistantfinalB.',
		{ family: 'harmony' },
		{ text: 'B.', reasoning: 'A.', calls: [] },
	],
	['F52', 'commentary to=functions.w json{"city":"Rome"}', { family: 'harmony' }, R],
	[
		'F53',
		'',
		{
			family: 'harmony',
			calls: [{ name: 'w<|channel|>commentary', arguments: '{"city":"Rome"}' }],
		},
		{ text: '', calls: [ROME] },
	],
	[
		'F54',
		'<|tool_call_begin|>functions.w:0<|tool_call_argument_begin|>{"city":"Rome"}<|tool_call_end|>',
		{ family: 'kimiK2' },
		R,
	],
	[
		'F55',
		'\n\n<‖DSML‖function_calls>\n<‖DSML‖invoke name="w">\n<‖DSML‖parameter name="city" string="true">Rome</‖DSML‖parameter>\n<‖DSML‖parameter name="days" string="false">2</‖DSML‖parameter>\n</‖DSML‖invoke>\n</‖DSML‖function_calls>',
		{ family: 'deepSeekDsml' },
		{ text: '', calls: ['w {"city":"Rome","days":2}'] },
	],
	[
		'F56',
		`Ok.${begin('calls▁begin')}${begin('call▁begin')}function${begin('sep')}w\n\`\`\`json\n{"city":"Rome"}\n\`\`\`${begin('call▁end')}${begin('calls▁end')}`,
		{ family: 'deepSeek' },
		{ text: 'Ok.', calls: [ROME] },
	],
	['F57', 'call:w{city:Rome}', { family: 'gemma4' }, stays('incomplete')],
];

describe('a text is a call only if there is no evidence against it', () => {
	it.each(CASES)('%s', (_name, answer, given, wanted) => {
		const expected =
			'stays' in wanted
				? { text: answer, calls: [], note: wanted.note }
				: { note: undefined, ...wanted };
		const whole = readPieces([answer], given);
		expect({ note: undefined, ...whole }).toMatchObject(expected);
		for (const pieces of everyCut(answer)) expect(readPieces(pieces, given)).toEqual(whole);
	});
});

describe('a long answer', () => {
	it('F58: a body of a million characters comes out as it is', () => {
		const body = `${'word "]}\\ 😀 </tool_call> '.repeat(40_000)}`;
		const answer = TC(JSON.stringify({ name: 'm', arguments: { to: 'x', body } }));
		const pieces = Array.from({ length: Math.ceil(answer.length / 7) }, (_, at) =>
			answer.slice(at * 7, at * 7 + 7),
		);
		for (const given of [[answer], pieces]) {
			const { text, calls } = readPieces(given, qwen);
			expect(text).toBe('');
			expect(calls).toHaveLength(1);
			expect((JSON.parse(calls[0]!.slice(2)) as { body: string }).body === body).toBe(true);
		}
	});
});

describe('thinking beside the text', () => {
	const gone = { reasoning: 'Hm.' };

	it('a tag at the beginning of the field is not part of the thinking (vLLM), and the text begins with its first word', () => {
		expect(readPieces(['\n\n', 'Yes.'], { reasoning: '<think>\nHm.' })).toMatchObject({
			text: 'Yes.',
			reasoning: '\nHm.',
		});
	});

	it('the rest of a thought comes as text', () => {
		expect(readPieces(['</think>', '\n\nYes.'], gone)).toMatchObject({
			text: 'Yes.',
			reasoning: 'Hm.',
		});
		const options = { openingThinkTagMayBeMissing: 'always' as const };
		expect(readPieces([' So', ' it is.\n</think>\n\nYes.'], { ...gone, options })).toMatchObject({
			text: 'Yes.',
			reasoning: 'Hm. So it is.\n',
		});
	});

	it('an answer about the tag is an answer, unless the model is known to think in tags', () => {
		const text = '<think> is the tag that opens it.';
		expect(readPieces([text])).toMatchObject({ text });
		expect(readPieces([text], qwen)).toMatchObject({ text: '', reasoning: text.slice(7) });
		expect(readPieces(['<think>Hm'])).toMatchObject({ text: '', reasoning: 'Hm' });
	});
});
