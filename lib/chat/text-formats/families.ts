import {
	bare,
	bareJson,
	bareName,
	type Form,
	functionTag,
	inside,
	inTag,
	invoke,
	json,
	named,
	python,
	pythonLines,
	special,
	tagged,
} from './forms';
import {
	argumentTags,
	deepSeekForms,
	dsmlForms,
	gemmaCall,
	harmonyForms,
	strippedGemma,
	toolCode,
} from './family-forms';

/** How a family of models writes thinking and tool calls. */
export interface Family {
	id: string;
	label: string;
	/** Matches the family's chat templates. Absent: recognized by the model's name only. */
	template?: RegExp;
	model: RegExp;
	/** Names of fine-tunes that write this format whatever model they are made of. */
	fineTunes?: RegExp;
	forms: readonly Form[];
	/** Its thinking markers, besides the tags that every family may use. */
	thinking?: ReadonlyArray<readonly [open: string, close: string]>;
	/** The server-side parsers for its calls. */
	parsers?: { vllm: string; sglang?: string };
}

/** Order matters: the first family that matches counts. */
export const FAMILIES: readonly Family[] = [
	{
		id: 'harmony',
		label: 'gpt-oss (harmony)',
		model: /gpt-?oss/i,
		template: /<\|channel\|>/,
		forms: harmonyForms,
		thinking: [
			['<|channel|>analysis<|message|>', '<|end|>'],
			['<|start|>assistant<|channel|>analysis<|message|>', '<|end|>'],
		],
		parsers: { vllm: 'openai', sglang: 'gpt-oss' },
	},
	{
		id: 'qwen3Coder',
		label: 'Qwen3-Coder',
		model: /qwen-?3-?coder|qwen-?3\.[5-9]|nemotron-?3|step-?3\.5|mimo-?v2/i,
		template: /<parameter=/,
		forms: [inTag('tool_call', functionTag)],
		parsers: { vllm: 'qwen3_coder', sglang: 'qwen3_coder' },
	},
	{
		id: 'seedOss',
		label: 'Seed-OSS',
		model: /seed-?oss/i,
		template: /<seed:tool_call>/,
		forms: [inTag('seed:tool_call', functionTag)],
		thinking: [['<seed:think>', '</seed:think>']],
		parsers: { vllm: 'seed_oss' },
	},
	{
		id: 'miniCpm5',
		label: 'MiniCPM5',
		model: /minicpm-?5/i,
		template: /<function name="/,
		forms: [invoke('', 'function', 'param')],
	},
	{
		id: 'muse',
		label: 'Muse',
		model: /(?:^|[^a-z])muse/i,
		template: /<atem:/,
		forms: [special(inTag('atem:function_calls', invoke('atem:')))],
	},
	{
		id: 'deepSeekDsml',
		label: 'DeepSeek V3.2 (DSML)',
		model: /deepseek-?v(?:3\.2|[4-9])/i,
		template: /DSML/,
		forms: dsmlForms,
		parsers: { vllm: 'deepseek_v32', sglang: 'deepseekv32' },
	},
	{
		id: 'deepSeek',
		label: 'DeepSeek',
		model: /deepseek|step-?3/i,
		template: /<｜tool.calls?.begin｜>/,
		forms: [...deepSeekForms, bare(named(['function'], ['```json'], '```'))],
		parsers: { vllm: 'deepseek_v31', sglang: 'deepseekv31' },
	},
	{
		id: 'functionary',
		label: 'Functionary 3.2',
		model: /functionary/i,
		template: />>>/,
		forms: [named(['>>>']), bareName],
		parsers: { vllm: 'functionary' },
	},
	{
		id: 'olmo3',
		label: 'Olmo 3',
		model: /olmo-?3/i,
		template: /<function_calls>/,
		forms: [inTag('function_calls', pythonLines), inTag('function_calls', python), bare(python)],
		parsers: { vllm: 'olmo3' },
	},
	{
		id: 'llama4',
		label: 'Llama 4',
		model: /llama-?4/i,
		template: /<\|python_start\|>/,
		forms: [special(inside('<|python_start|>', '<|python_end|>', python)), bare(python), bareJson],
		parsers: { vllm: 'llama4_pythonic', sglang: 'pythonic' },
	},
	{
		id: 'llama3',
		label: 'Llama 3',
		model: /llama-?3/i,
		template: /<\|python_tag\|>|"parameters": dictionary|<\|eom_id\|>/,
		forms: [
			special({ shape: { kind: 'json', open: ['<|python_tag|>'], separated: true } }),
			named(['<function='], ['>'], '</function>'),
			bareJson,
		],
		parsers: { vllm: 'llama3_json', sglang: 'llama3' },
	},
	{
		id: 'mistral',
		label: 'Mistral',
		model: /mistral|mixtral|devstral|magistral|ministral|codestral/i,
		template: /\[TOOL_CALLS\]/,
		forms: [
			special(json('[TOOL_CALLS]')),
			special(named(['[TOOL_CALLS]'], ['[CALL_ID]', '[ARGS]'])),
			bareName,
			bareJson,
		],
		parsers: { vllm: 'mistral', sglang: 'mistral' },
	},
	{
		id: 'kimiK2',
		label: 'Kimi K2',
		model: /kimi-?k2/i,
		template: /<\|tool_calls_section_begin\|>/,
		forms: [
			special(
				inside(
					'<|tool_calls_section_begin|>',
					'<|tool_calls_section_end|>',
					named(['<|tool_call_begin|>'], ['<|tool_call_argument_begin|>'], '<|tool_call_end|>'),
				),
			),
			bare(named(['functions.'])),
		],
		parsers: { vllm: 'kimi_k2', sglang: 'kimi_k2' },
	},
	{
		id: 'kimiK3',
		label: 'Kimi K3',
		model: /kimi-?k3/i,
		template: /<\|open\|>/,
		forms: [
			special(
				inside(
					'<|open|>tools<|sep|>',
					'<|close|>tools<|sep|>',
					tagged({
						open: '<|open|>call tool="',
						key: '<|open|>argument key="',
						valueEnd: '<|close|>argument<|sep|>',
						close: '<|close|>call<|sep|>',
						end: ['<|sep|>'],
					}),
				),
			),
		],
		thinking: [['<|open|>think<|sep|>', '<|close|>think<|sep|>']],
	},
	{
		id: 'hunyuan3',
		label: 'Hunyuan 3',
		model: /(?:^|[^a-z])(?:hy|hunyuan)[-_]?v?[34](?![\db])/i,
		template: /<tool_sep>|<tool_calls:/,
		forms: [
			inTag('tool_calls', argumentTags('', '<tool_sep>')),
			special(inTag('tool_calls:opensource', argumentTags(':opensource'))),
		],
		thinking: [['<think:opensource>', '</think:opensource>']],
		parsers: { vllm: 'hy_v3' },
	},
	{
		id: 'glm',
		label: 'GLM-4.5',
		model: /glm-?4\.[5-9]|glm-?[5-9]|ling-?3|laguna/i,
		template: /<arg_key>/,
		forms: [argumentTags('')],
		parsers: { vllm: 'glm45', sglang: 'glm45' },
	},
	{
		id: 'miniMaxM2',
		label: 'MiniMax M2',
		model: /minimax-?m2/i,
		template: /<minimax:tool_call>/,
		forms: [inTag('minimax:tool_call', invoke('')), json('[TOOL_CALL]', '[/TOOL_CALL]')],
		// From M3 (vllm-project/vllm issue 46042).
		thinking: [['<mm:think>', '</mm:think>']],
		parsers: { vllm: 'minimax_m2', sglang: 'minimax-m2' },
	},
	{
		id: 'toolCallsList',
		label: 'Hunyuan, Jamba, MiniMax M1',
		model: /hunyuan|jamba|apriel|minimax-?m1/i,
		template: /<tool_calls>/,
		forms: [json('<tool_calls>', '</tool_calls>')],
		parsers: { vllm: 'hunyuan_a13b' },
	},
	{
		id: 'gemma4',
		label: 'Gemma 4',
		model: /gemma-?4/i,
		template: /<\|tool_call>/,
		forms: [gemmaCall('<|tool_call>call:', '<tool_call|>', '<|"|>'), strippedGemma],
		thinking: [['<|channel>thought\n', '<channel|>']],
		parsers: { vllm: 'gemma4', sglang: 'gemma4' },
	},
	{
		id: 'functionGemma',
		label: 'FunctionGemma',
		model: /function-?gemma/i,
		template: /<start_function_call>/,
		forms: [
			gemmaCall('<start_function_call>call:', '<end_function_call>', '<escape>'),
			strippedGemma,
		],
		parsers: { vllm: 'functiongemma' },
	},
	{ id: 'gemma3', label: 'Gemma 3', model: /gemma-?3/i, forms: [toolCode, bare(python), bareJson] },
	{
		id: 'phi4',
		label: 'Phi-4-mini',
		model: /phi-?4-?mini|firefunction/i,
		template: /functools|<\|\/tool_call\|>/,
		forms: [json('functools'), special(json('<|tool_call|>', '<|/tool_call|>'))],
		parsers: { vllm: 'phi4_mini_json' },
	},
	{
		id: 'granite3',
		label: 'Granite 3',
		model: /granite-?3/i,
		template: /<\|tool_call\|>/,
		forms: [special(json('<|tool_call|>')), bareJson],
		parsers: { vllm: 'granite' },
	},
	{
		id: 'commandRPlus',
		label: 'Command R+',
		model: /command-?r(?!7)/i,
		template: /Write 'Action:'/,
		forms: ['Action: ```json', 'Action:\n```json'].map((open) => ({
			...json(open, '```'),
			reportedAs: 'quoted',
		})),
	},
	{
		id: 'command',
		label: 'Command R7B',
		model: /command-?(?:r7b|a)(?:[^a-z]|$)|cohere2/i,
		template: /<\|START_ACTION\|>/,
		forms: [special(json('<|START_ACTION|>', '<|END_ACTION|>')), bareJson],
		thinking: [['<|START_THINKING|>', '<|END_THINKING|>']],
		parsers: { vllm: 'cohere_command3' },
	},
	{
		id: 'nemotronNano2',
		label: 'Nemotron Nano v2',
		model: /nemotron-?nano.{0,50}v2/i,
		template: /<TOOLCALL>/,
		forms: [json('<TOOLCALL>', '</TOOLCALL>')],
		parsers: { vllm: 'nemotron_json' },
	},
	{
		id: 'lfm2',
		label: 'LFM2',
		model: /lfm-?2/i,
		template: /<\|tool_call_start\|>/,
		forms: [
			special(inside('<|tool_call_start|>', '<|tool_call_end|>', python)),
			special(json('<|tool_call_start|>', '<|tool_call_end|>')),
			bare(python),
		],
		parsers: { vllm: 'lfm2', sglang: 'lfm2' },
	},
	{
		id: 'apertus',
		label: 'Apertus',
		model: /apertus/i,
		template: /<\|tools_prefix\|>/,
		forms: [
			special({
				shape: {
					kind: 'json',
					open: ['<|tools_prefix|>'],
					close: ['<|tools_suffix|>'],
					nameIsKey: true,
				},
			}),
		],
		thinking: [['<|inner_prefix|>', '<|inner_suffix|>']],
	},
	{
		id: 'internLm',
		label: 'InternLM',
		model: /internlm|intern-?s1/i,
		template: /<\|action_start\|>/,
		forms: [
			special(json('<|action_start|><|plugin|>', '<|action_end|>')),
			special(json('<|action_start|> <|plugin|>', '<|action_end|>')),
		],
		parsers: { vllm: 'internlm', sglang: 'interns1' },
	},
	{
		id: 'gigaChat3',
		label: 'GigaChat 3',
		model: /gigachat-?3/i,
		template: /<\|role_sep\|>/,
		forms: [special(json('function call<|role_sep|>'))],
		parsers: { vllm: 'gigachat3', sglang: 'gigachat3' },
	},
	{
		id: 'solar',
		label: 'Solar',
		model: /solar/i,
		template: /<\|tool_call:begin\|>/,
		forms: [
			special({
				shape: {
					kind: 'named',
					open: ['<|tool_call:begin|>'],
					idEnd: '<|tool_call:name|>',
					between: ['<|tool_call:args|>'],
					close: ['<|tool_call:end|>'],
				},
			}),
		],
		thinking: [['<|think|>', '<|end|>']],
	},
	{
		id: 'xLam',
		label: 'xLAM',
		model: /xlam/i,
		fineTunes: /xlam/i,
		forms: [json('[TOOL_CALLS]'), bareJson],
		parsers: { vllm: 'xlam' },
	},
	{
		id: 'hermes',
		label: 'Hermes, Qwen',
		model: /hermes|qwen|qwq|granite-?4|reka|mimo-?vl|ernie/i,
		fineTunes: /hermes/i,
		template: /<tool_call>/,
		forms: [json('<tool_call>', '</tool_call>'), bareJson],
		parsers: { vllm: 'hermes', sglang: 'qwen25' },
	},
	{
		id: 'lmStudio',
		label: 'LM Studio',
		model: /(?!)/,
		forms: [json('[TOOL_REQUEST]', '[END_TOOL_REQUEST]')],
	},
];
