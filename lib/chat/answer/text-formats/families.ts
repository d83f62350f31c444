import type { Shape } from './shapes';
import type { Notation } from './values';

/** One way in which the models of a family write calls. */
export interface Form {
	shape: Shape;
	/** Markers that may stand around the calls. */
	around?: { open: readonly string[]; close: readonly string[] };
	/** What a call may begin with, where that is not every opening marker. */
	begins?: readonly string[];
	/** Its markers are tokens of their own, which nobody types: they may follow text in the same line. */
	special?: true;
	/** No marker is left, because the server takes them out: then it must be the whole answer. */
	bare?: true;
	/** What is left of it cannot be read for certain, so it is only told. */
	unreadable?: true;
}

/** How a family of models writes its thinking and its calls. One row each. */
export interface Family {
	id: string;
	label: string;
	/** Told by the chat template; what has no marker of its own there, by the name alone. */
	template?: RegExp;
	model: RegExp;
	forms: readonly Form[];
	/** What its thinking stands between, beside the tags that every family may use. */
	thinking?: ReadonlyArray<readonly [open: string, close: string]>;
	/** Its names in front of the parser of the server. */
	parsers?: { vllm: string; sglang?: string };
}

const json = (open?: string, ...close: string[]): Shape => ({
	kind: 'json',
	...(open === undefined ? {} : { open: [open] }),
	...(close.length === 0 ? {} : { close }),
});
const bareJson: Form = { shape: { kind: 'json', separated: true }, bare: true };
const tags = (name: string) => ({ open: [`<${name}>`], close: [`</${name}>`] });

const functionTag: Shape = {
	kind: 'tagged',
	open: '<function=',
	key: '<parameter=',
	valueEnd: '</parameter>',
	close: '</function>',
	end: ['>'],
};

/** Elements with the attribute `name`, as MiniMax, DeepSeek's DSML and others have them. */
const invoke = (prefix: string, call = 'invoke', parameter = 'parameter', slash = '/'): Shape => ({
	kind: 'tagged',
	open: `<${prefix}${call} name="`,
	key: `<${prefix}${parameter} name="`,
	valueEnd: `<${slash}${prefix}${parameter}>`,
	close: `<${slash}${prefix}${call}>`,
	end: ['>'],
});

const harmonyChannels = ['<|channel|>commentary', '<|channel|>analysis', '<|channel|>final'];
const harmonyCall: Shape = {
	kind: 'named',
	open: ['to=functions.'],
	between: [...harmonyChannels, 'commentary', '<|constrain|>', 'json', '<|message|>'],
	close: ['<|call|>'],
};

const argumentTags: Shape = {
	kind: 'tagged',
	open: '<tool_call>',
	key: '<arg_key>',
	value: ['</arg_key>', '<arg_value>'],
	valueEnd: '</arg_value>',
	close: '</tool_call>',
	end: [],
};

const gemmaNotation = (quote: string): Notation => ({ quotes: [quote], escapes: false, bareKeys: true });

/** Models and servers spell the bars of DeepSeek's markers in several ways. */
const BARS = ['｜', '｜｜', '‖', '|', '||', ' | '];
const dsml = (bar: string): Form => ({
	shape: invoke(`${bar}DSML${bar}`),
	around: {
		open: [`<${bar}DSML${bar}function_calls>`, `<${bar}DSML${bar}tool_calls>`],
		close: [`</${bar}DSML${bar}function_calls>`, `</${bar}DSML${bar}tool_calls>`],
	},
	special: true,
});
const deepseek = (gap: string): Form => {
	const mark = (words: string) => `<｜${words.replaceAll(' ', gap)}｜>`;
	const begin = mark('tool call begin');
	return {
		shape: {
			kind: 'named',
			open: [`${begin}function${mark('tool sep')}`, begin],
			between: [mark('tool sep'), '```json'],
			close: [`\n\`\`\`${mark('tool call end')}`, `\`\`\`${mark('tool call end')}`, mark('tool call end')],
		},
		around: { open: [mark('tool calls begin')], close: [mark('tool calls end')] },
		special: true,
	};
};

/** Order matters: the first that the template or the name fits. */
export const FAMILIES: readonly Family[] = [
	{
		id: 'harmony',
		label: 'gpt-oss (harmony)',
		template: /<\|channel\|>/,
		model: /gpt-?oss/i,
		forms: [
			{
				shape: harmonyCall,
				around: {
					open: ['<|end|>', '<|start|>assistant', ...harmonyChannels, 'commentary'],
					close: [],
				},
				begins: ['<|end|>', '<|start|>assistant', ...harmonyChannels],
				special: true,
			},
			{ shape: harmonyCall, around: { open: ['commentary', 'analysis'], close: [] }, bare: true },
		],
		thinking: [
			['<|channel|>analysis<|message|>', '<|end|>'],
			['<|start|>assistant<|channel|>analysis<|message|>', '<|end|>'],
		],
		parsers: { vllm: 'openai', sglang: 'gpt-oss' },
	},
	{
		id: 'qwen3Coder',
		label: 'Qwen3-Coder',
		template: /<parameter=/,
		model: /qwen-?3-?coder|qwen-?3\.[5-9]|nemotron-?3|step-?3\.5|mimo-?v2/i,
		forms: [{ shape: functionTag, around: tags('tool_call') }],
		parsers: { vllm: 'qwen3_coder', sglang: 'qwen3_coder' },
	},
	{
		id: 'seedOss',
		label: 'Seed-OSS',
		template: /<seed:tool_call>/,
		model: /seed-?oss/i,
		forms: [{ shape: functionTag, around: tags('seed:tool_call') }],
		thinking: [['<seed:think>', '</seed:think>']],
		parsers: { vllm: 'seed_oss' },
	},
	{
		id: 'miniCpm5',
		label: 'MiniCPM5',
		template: /<function name="/,
		model: /minicpm-?5/i,
		forms: [{ shape: invoke('', 'function', 'param') }],
	},
	{
		id: 'muse',
		label: 'Muse',
		template: /<atem:/,
		model: /(?:^|[^a-z])muse/i,
		forms: [{ shape: invoke('atem:'), around: tags('atem:function_calls'), special: true }],
	},
	{
		id: 'deepSeekDsml',
		label: 'DeepSeek V3.2 (DSML)',
		template: /DSML/,
		model: /deepseek-?v(?:3\.2|[4-9])/i,
		forms: BARS.map(dsml),
		parsers: { vllm: 'deepseek_v32', sglang: 'deepseekv32' },
	},
	{
		id: 'deepSeek',
		label: 'DeepSeek',
		template: /<｜tool.calls?.begin｜>/,
		model: /deepseek|step-?3/i,
		forms: [
			...['▁', ' ', '_', '\\_'].map(deepseek),
			{ shape: { kind: 'named', open: ['function'], between: ['```json'], close: ['```'] }, bare: true },
		],
		parsers: { vllm: 'deepseek_v31', sglang: 'deepseekv31' },
	},
	{
		id: 'functionary',
		label: 'Functionary 3.2',
		template: />>>/,
		model: /functionary/i,
		forms: [{ shape: { kind: 'named', open: ['>>>'] } }, { shape: { kind: 'named' }, bare: true }],
		parsers: { vllm: 'functionary' },
	},
	{
		id: 'llama4',
		label: 'Llama 4',
		template: /<\|python_start\|>|<function_calls>/,
		model: /llama-?4|olmo-?3/i,
		forms: [
			{ shape: { kind: 'python' }, around: { open: ['<|python_start|>'], close: ['<|python_end|>'] }, special: true },
			{ shape: { kind: 'python' }, around: tags('function_calls') },
			{ shape: { kind: 'python' }, bare: true },
			bareJson,
		],
		parsers: { vllm: 'llama4_pythonic', sglang: 'pythonic' },
	},
	{
		id: 'llama3',
		label: 'Llama 3',
		template: /<\|python_tag\|>|"parameters": dictionary|<\|eom_id\|>/,
		model: /llama-?3/i,
		forms: [
			{ shape: { kind: 'json', open: ['<|python_tag|>'], separated: true }, special: true },
			{ shape: { kind: 'named', open: ['<function='], between: ['>'], close: ['</function>'] } },
			bareJson,
		],
		parsers: { vllm: 'llama3_json', sglang: 'llama3' },
	},
	{
		id: 'mistral',
		label: 'Mistral',
		template: /\[TOOL_CALLS\]/,
		model: /mistral|mixtral|devstral|magistral|ministral|codestral/i,
		forms: [
			{ shape: json('[TOOL_CALLS]'), special: true },
			{ shape: { kind: 'named', open: ['[TOOL_CALLS]'], between: ['[CALL_ID]', '[ARGS]'] }, special: true },
			{ shape: { kind: 'named' }, bare: true },
			bareJson,
		],
		parsers: { vllm: 'mistral', sglang: 'mistral' },
	},
	{
		id: 'kimiK2',
		label: 'Kimi K2',
		template: /<\|tool_calls_section_begin\|>/,
		model: /kimi-?k2/i,
		forms: [
			{
				shape: {
					kind: 'named',
					open: ['<|tool_call_begin|>'],
					between: ['<|tool_call_argument_begin|>'],
					close: ['<|tool_call_end|>'],
				},
				around: { open: ['<|tool_calls_section_begin|>'], close: ['<|tool_calls_section_end|>'] },
				special: true,
			},
			{ shape: { kind: 'named', open: ['functions.'] }, bare: true },
		],
		parsers: { vllm: 'kimi_k2', sglang: 'kimi_k2' },
	},
	{
		id: 'kimiK3',
		label: 'Kimi K3',
		template: /<\|open\|>/,
		model: /kimi-?k3/i,
		forms: [
			{
				shape: {
					kind: 'tagged',
					open: '<|open|>call tool="',
					key: '<|open|>argument key="',
					valueEnd: '<|close|>argument<|sep|>',
					close: '<|close|>call<|sep|>',
					end: ['<|sep|>'],
				},
				around: { open: ['<|open|>tools<|sep|>'], close: ['<|close|>tools<|sep|>'] },
				special: true,
			},
		],
		thinking: [['<|open|>think<|sep|>', '<|close|>think<|sep|>']],
	},
	{
		id: 'glm',
		label: 'GLM-4.5',
		template: /^(?![^]*<tool_sep>)[^]*<arg_key>/,
		model: /glm-?4\.[5-9]|glm-?[5-9]|ling-?3|laguna/i,
		forms: [{ shape: argumentTags }],
		parsers: { vllm: 'glm45', sglang: 'glm45' },
	},
	{
		id: 'miniMaxM2',
		label: 'MiniMax M2',
		template: /<minimax:tool_call>/,
		model: /minimax-?m2/i,
		forms: [{ shape: invoke(''), around: tags('minimax:tool_call') }, { shape: json('[TOOL_CALL]', '[/TOOL_CALL]') }],
		parsers: { vllm: 'minimax_m2', sglang: 'minimax-m2' },
	},
	{
		id: 'toolCallsList',
		label: 'Hunyuan, Jamba, MiniMax M1',
		template: /<tool_calls>/,
		model: /hunyuan|jamba|apriel|minimax-?m1/i,
		forms: [{ shape: json('<tool_calls>', '</tool_calls>') }],
		parsers: { vllm: 'hunyuan_a13b' },
	},
	{
		id: 'gemma4',
		label: 'Gemma 4',
		template: /<\|tool_call>/,
		model: /gemma-?4/i,
		forms: [
			{
				shape: {
					kind: 'named',
					open: ['<|tool_call>call:'],
					close: ['<tool_call|>'],
					notation: gemmaNotation('<|"|>'),
				},
				special: true,
			},
			{ shape: { kind: 'named', open: ['call:'] }, unreadable: true },
		],
		thinking: [['<|channel>thought\n', '<channel|>']],
		parsers: { vllm: 'gemma4', sglang: 'gemma4' },
	},
	{
		id: 'functionGemma',
		label: 'FunctionGemma',
		template: /<start_function_call>/,
		model: /function-?gemma/i,
		forms: [
			{
				shape: {
					kind: 'named',
					open: ['<start_function_call>call:'],
					close: ['<end_function_call>'],
					notation: gemmaNotation('<escape>'),
				},
				special: true,
			},
		],
		parsers: { vllm: 'functiongemma' },
	},
	{
		id: 'phi4',
		label: 'Phi-4-mini',
		template: /functools|<\|\/tool_call\|>/,
		model: /phi-?4-?mini|firefunction/i,
		forms: [{ shape: json('functools') }, { shape: json('<|tool_call|>', '<|/tool_call|>'), special: true }],
		parsers: { vllm: 'phi4_mini_json' },
	},
	{
		id: 'granite3',
		label: 'Granite 3',
		template: /<\|tool_call\|>/,
		model: /granite-?3/i,
		forms: [{ shape: json('<|tool_call|>'), special: true }, bareJson],
		parsers: { vllm: 'granite' },
	},
	{
		id: 'command',
		label: 'Command R7B',
		template: /<\|START_ACTION\|>/,
		model: /command-?(?:r7b|a)(?:[^a-z]|$)|cohere2/i,
		forms: [{ shape: json('<|START_ACTION|>', '<|END_ACTION|>'), special: true }, bareJson],
		thinking: [['<|START_THINKING|>', '<|END_THINKING|>']],
		parsers: { vllm: 'cohere_command3' },
	},
	{
		id: 'nemotronNano2',
		label: 'Nemotron Nano v2',
		template: /<TOOLCALL>/,
		model: /nemotron-?nano.{0,50}v2/i,
		forms: [{ shape: json('<TOOLCALL>', '</TOOLCALL>') }],
		parsers: { vllm: 'nemotron_json' },
	},
	{
		id: 'lfm2',
		label: 'LFM2',
		template: /<\|tool_call_start\|>/,
		model: /lfm-?2/i,
		forms: [
			{
				shape: { kind: 'python' },
				around: { open: ['<|tool_call_start|>'], close: ['<|tool_call_end|>'] },
				special: true,
			},
			{ shape: json('<|tool_call_start|>', '<|tool_call_end|>'), special: true },
			{ shape: { kind: 'python' }, bare: true },
		],
		parsers: { vllm: 'lfm2', sglang: 'lfm2' },
	},
	{
		id: 'apertus',
		label: 'Apertus',
		template: /<\|tools_prefix\|>/,
		model: /apertus/i,
		forms: [
			{
				shape: { kind: 'json', open: ['<|tools_prefix|>'], close: ['<|tools_suffix|>'], nameIsKey: true },
				special: true,
			},
		],
		thinking: [['<|inner_prefix|>', '<|inner_suffix|>']],
	},
	{
		id: 'internLm',
		label: 'InternLM',
		template: /<\|action_start\|>/,
		model: /internlm|intern-?s1/i,
		forms: [{ shape: json('<|action_start|> <|plugin|>', '<|action_end|>'), special: true }],
		parsers: { vllm: 'internlm', sglang: 'interns1' },
	},
	{
		id: 'gigaChat3',
		label: 'GigaChat 3',
		template: /<\|role_sep\|>/,
		model: /gigachat-?3/i,
		forms: [{ shape: json('function call<|role_sep|>'), special: true }],
		parsers: { vllm: 'gigachat3', sglang: 'gigachat3' },
	},
	{
		id: 'solar',
		label: 'Solar',
		template: /<\|tool_call:begin\|>/,
		model: /solar/i,
		forms: [
			{
				shape: {
					kind: 'named',
					open: ['<|tool_call:begin|>'],
					idEnd: '<|tool_call:name|>',
					between: ['<|tool_call:args|>'],
					close: ['<|tool_call:end|>'],
				},
				special: true,
			},
		],
		thinking: [['<|think|>', '<|end|>']],
	},
	{
		id: 'xLam',
		label: 'xLAM',
		model: /xlam/i,
		forms: [{ shape: json('[TOOL_CALLS]') }, bareJson],
		parsers: { vllm: 'xlam' },
	},
	{
		id: 'hermes',
		label: 'Hermes, Qwen',
		template: /<tool_call>/,
		model: /hermes|qwen|qwq|granite-?4|reka|mimo-?vl|ernie/i,
		forms: [{ shape: json('<tool_call>', '</tool_call>') }, bareJson],
		parsers: { vllm: 'hermes', sglang: 'qwen25' },
	},
	{
		id: 'lmStudio',
		label: 'LM Studio',
		model: /(?!)/,
		forms: [{ shape: json('[TOOL_REQUEST]', '[END_TOOL_REQUEST]') }],
	},
];

/** Tokens with which the families end a turn. */
export const END_TOKENS: readonly string[] = [
	'<|im_end|>',
	'<|eot_id|>',
	'<|eom_id|>',
	'</s>',
	'<|observation|>',
	'<|call|>',
	'<|return|>',
	'<|end|>',
	'<|endoftext|>',
	'<seed:eos>',
	'<｜end▁of▁sentence｜>',
	'<end_of_turn>',
	'<turn|>',
	'<|END_OF_TURN_TOKEN|>',
];

/** The family of a model: what the user says, else what its template shows, else what its name says. */
export function familyOf({
	setting,
	template,
	model,
	fallback,
}: {
	setting?: string;
	template?: string;
	model: string;
	/** Of the server, for models that have none. */
	fallback?: string;
}): Family | undefined {
	if (setting !== undefined && setting !== 'auto') return FAMILIES.find(({ id }) => id === setting);
	return (
		FAMILIES.find((family) => template !== undefined && family.template?.test(template) === true) ??
		FAMILIES.find((family) => family.model.test(model)) ??
		FAMILIES.find(({ id }) => id === fallback)
	);
}
