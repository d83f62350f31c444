/** Hunyuan 3, Olmo 3, Gemma 3, FunctionGemma and Command R+: what is a call of theirs, and what is none. */
import { familyOf } from '../../../../lib/chat/text-formats/family-of';
import { everyCut, type Given, type Outcome, readPieces } from './read';

const R = ['w {"city":"Rome"}'];
const formats: Array<[string, string, Given, Partial<Outcome> & Pick<Outcome, 'calls'>]> = [
	[
		'olmo nested',
		`<function_calls>\nw(city='Ro\\'me, "x"', days=3)\n</function_calls>`,
		{ family: 'olmo3' },
		{ calls: [`w {"city":"Ro'me, \\"x\\"","days":3}`] },
	],
	[
		'olmo text behind',
		'<function_calls>\nw(city="Rome")\n</function_calls>\nDone.',
		{ family: 'olmo3' },
		{ calls: [], note: 'followed' },
	],
	[
		'olmo text in front',
		'I look.\n<function_calls>\nw(city="Rome")\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: R, text: 'I look.' },
	],
	[
		'olmo positional',
		'<function_calls>\nw("Rome")\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'olmo unknown tool',
		'<function_calls>\nrm(x=1)\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	['olmo unclosed stop', '<function_calls>\nw(city="Rome")\n', { family: 'olmo3' }, { calls: R }],
	[
		'olmo unclosed length',
		'<function_calls>\nw(city="Rome")\n',
		{ family: 'olmo3', finish: 'length' },
		{ calls: [], note: 'incomplete' },
	],
	[
		'olmo anthropic',
		'<function_calls>\n<invoke name="w"><parameter name="city">Rome</parameter></invoke>\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'olmo in llama4',
		'<function_calls>\nw(city="Rome")\n</function_calls>',
		{ family: 'llama4' },
		{ calls: [], note: 'foreign' },
	],
	[
		'hy3 no wrapper',
		'<tool_call>w<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>',
		{ family: 'hunyuan3' },
		{ calls: R },
	],
	[
		'hy3 number',
		'<tool_calls>\n<tool_call>w<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>\n</tool_calls>',
		{ family: 'hunyuan3' },
		{ calls: ['w {"city":"Rome","days":2}'] },
	],
	[
		'hy3 bad number',
		'<tool_calls>\n<tool_call>w<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n<arg_value>two</arg_value>\n</tool_call>\n</tool_calls>',
		{ family: 'hunyuan3' },
		{ calls: [], note: 'unfit' },
	],
	[
		'hy3 after thinking',
		'<think>x</think><tool_calls>\n<tool_call>n<tool_sep>\n</tool_call>\n</tool_calls>',
		{ family: 'hunyuan3' },
		{ calls: ['n {}'], reasoning: 'x' },
	],
	[
		'hy4 suffix think',
		'<think:opensource>x</think:opensource><tool_calls:opensource><tool_call:opensource>n</tool_call:opensource></tool_calls:opensource>',
		{ family: 'hunyuan3' },
		{ calls: ['n {}'] },
	],
	[
		'function gemma unquoted',
		'<start_function_call>call:w{city:Rome}<end_function_call>',
		{ family: 'functionGemma' },
		{ calls: [], note: 'incomplete' },
	],
	[
		'function gemma nested',
		'<start_function_call>call:w{city:<escape>a{b},c<escape>,days:3}<end_function_call>',
		{ family: 'functionGemma' },
		{ calls: ['w {"city":"a{b},c","days":3}'] },
	],
	[
		'function gemma no end',
		'<start_function_call>call:w{city:<escape>Rome<escape>}',
		{ family: 'functionGemma' },
		{ calls: R },
	],
	[
		'gemma3 quoted by input',
		'[w(city="Rome")]',
		{ family: 'gemma3', input: ['run [w(city="Rome")] now'] },
		{ calls: [], note: 'inInput' },
	],
	['gemma3 with text', 'Sure: [w(city="Rome")]', { family: 'gemma3' }, { calls: [] }],
	['gemma3 list of words', '[1] see [w(city)](http://x)', { family: 'gemma3' }, { calls: [] }],
	['gemma3 JSON answer', '{"name":"my-app","version":"1"}', { family: 'gemma3' }, { calls: [] }],
	[
		'gemma3 tool_code print',
		'Ok.\n```tool_code\nprint(w(city="Rome"))\n```',
		{ family: 'gemma3' },
		{ calls: [], note: 'quoted' },
	],
	[
		'command r+ action',
		'I will look.\nAction: ```json\n[\n    {\n        "tool_name": "w",\n        "parameters": {"city":"Rome"}\n    }\n]```',
		{ family: 'commandRPlus' },
		{ calls: [], note: 'quoted' },
	],
	[
		'command r+ plan',
		'Plan: x\nAction:\n```json\n[{"tool_name":"w","parameters":{"city":"Rome"}}]\n```',
		{ family: 'commandRPlus' },
		{ calls: [], note: 'quoted' },
	],

	[
		'olmo JSON words',
		'<function_calls>\nw(city="Rome", days=null)\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'olmo two on a line',
		'<function_calls>w(city="Rome") n()</function_calls>',
		{ family: 'olmo3' },
		{ calls: [...R, 'n {}'] },
	],
	['olmo empty', '<function_calls>\n</function_calls>', { family: 'olmo3' }, { calls: [] }],
	[
		'olmo duplicate key',
		'<function_calls>\nw(city="a", city="b")\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'olmo multi-line',
		'<function_calls>\nw(\n  city="Rome",\n  days=2\n)\n</function_calls><|im_end|>',
		{ family: 'olmo3' },
		{ calls: ['w {"city":"Rome","days":2}'] },
	],
	[
		'olmo in pre',
		'<pre>\n<function_calls>\nw(city="Rome")\n</function_calls>\n</pre>',
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'olmo in thinking',
		'<think><function_calls>\nw(city="Rome")\n</function_calls></think>Hi',
		{ family: 'olmo3' },
		{ calls: [], note: 'inThinking', text: 'Hi' },
	],
	[
		'olmo structured too',
		'<function_calls>\nn()\n</function_calls>',
		{ family: 'olmo3', calls: [{ index: 0, id: 'a', name: 'n', arguments: '{}' }] },
		{ calls: ['n {}'], text: '' },
	],
	[
		'olmo proto',
		'<function_calls>\nw(city="Rome", __proto__="x")\n</function_calls>',
		{ family: 'olmo3' },
		{ calls: ['w {"city":"Rome","__proto__":"x"}'] },
	],
	[
		'olmo 100 calls',
		`<function_calls>\n${'n()\n'.repeat(100)}</function_calls>`,
		{ family: 'olmo3' },
		{ calls: [] },
	],
	[
		'hy3 in GLM',
		'<tool_calls>\n<tool_call>w<tool_sep>\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>\n</tool_calls>',
		{ family: 'glm' },
		{ calls: [] },
	],
	[
		'hy3 missing sep',
		'<tool_calls>\n<tool_call>w\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>\n</tool_calls>',
		{ family: 'hunyuan3' },
		{ calls: [] },
	],
	[
		'hy3 in list',
		'- <tool_calls>\n<tool_call>n<tool_sep>\n</tool_call>\n</tool_calls>',
		{ family: 'hunyuan3' },
		{ calls: [] },
	],
	[
		'gemma tool_code import',
		'```tool_code\nimport os\nw(city="Rome")\n```',
		{ family: 'gemma3' },
		{ calls: [] },
	],
	[
		'gemma JSON fence',
		'```json\n{"name":"w","parameters":{"city":"Rome"}}\n```',
		{ family: 'gemma3' },
		{ calls: [], note: 'quoted' },
	],
	['gemma print only', 'print(w(city="Rome"))', { family: 'gemma3' }, { calls: [] }],
	[
		'command none offered',
		'Action: ```json\n[{"tool_name":"rm","parameters":{}}]\n```',
		{ family: 'commandRPlus' },
		{ calls: [] },
	],
	[
		'command for other family',
		'Action: ```json\n[{"tool_name":"w","parameters":{"city":"Rome"}}]\n```',
		{ family: 'hermes' },
		{ calls: [] },
	],
	[
		'function gemma two',
		'<start_function_call>call:n{}<end_function_call>\n<start_function_call>call:w{city:<escape>Rome<escape>}<end_function_call>',
		{ family: 'functionGemma' },
		{ calls: ['n {}', ...R] },
	],
	[
		'function gemma text behind',
		'<start_function_call>call:n{}<end_function_call> Done',
		{ family: 'functionGemma' },
		{ calls: [], note: 'followed' },
	],
];

test.each(formats)('format: %s', (_n, text, given, wanted) => {
	for (const pieces of [[text], ...everyCut(text)])
		expect(readPieces(pieces, given)).toMatchObject({
			...(wanted.calls.length === 0 ? { text } : {}),
			...wanted,
		});
});
test.each([
	['hunyuan-7b-instruct', 'toolCallsList'],
	['Hy4-preview', 'hunyuan3'],
	['physics-model', undefined],
	['olmo3:32b', 'olmo3'],
	['OLMo-2-7B', undefined],
	['gemma3n:e4b', 'gemma3'],
	['gemma-4-31b', 'gemma4'],
	['command-r:35b', 'commandRPlus'],
	['hy-mt-1.5', undefined],
])('name %s', (model, id) => {
	expect(familyOf({ model })?.id).toBe(id);
});
test.each([
	['Hunyuan-4B-Instruct', 'toolCallsList'],
	['hunyuan-3-preview', 'hunyuan3'],
	['why3', undefined],
	['allenai/Olmo-3.1-32B-Think', 'olmo3'],
	['gemma-2-9b', undefined],
	['c4ai-command-r-v01', 'commandRPlus'],
	['command-a-reasoning', 'command'],
	['command-r7b', 'command'],
])('name %s', (model, id) => {
	expect(familyOf({ model })?.id).toBe(id);
});

describe('a fine-tune whose name holds that of its base', () => {
	const BASES = [
		'Llama-3.1',
		'Qwen2.5',
		'Qwen3-Coder',
		'Mistral-7B',
		'Llama-4',
		'Gemma-3',
		'Granite-3',
	];

	it.each([
		['Hermes-3', 'hermes'],
		['Nous-Hermes-2-Pro', 'hermes'],
		['xLAM-2', 'xLam'],
	])('%s writes its own format, whatever it is made of', (name, id) => {
		for (const base of BASES)
			for (const model of [`${name}-${base}-8B`, `${base}-${name}-8b`, `org/${base}-${name}:q4`])
				expect(familyOf({ model })?.id).toBe(id);
	});
});
