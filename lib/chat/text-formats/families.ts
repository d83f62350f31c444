import { LruCache } from '../../lru-cache';
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

const harmonyChannels = ['<|channel|>commentary', '<|channel|>analysis', '<|channel|>final'];
const harmonyCall = named(
	['to=functions.'],
	[...harmonyChannels, 'commentary', '<|constrain|>', 'json', '<|message|>'],
	'<|call|>',
);

/** With its own quotation mark, and unquoted keys. */
const gemmaCall = (open: string, close: string, quote: string): Form => ({
	shape: {
		kind: 'named',
		open: [open],
		close: [close],
		notation: { quotes: [quote], escapes: false, bareKeys: true },
	},
	special: true,
});

const strippedGemma: Form = { ...named(['call:']), reportedAs: 'incomplete' };
const toolCode: Form = {
	...pythonLines,
	around: { open: ['```tool_code', 'print('], close: [')', '```'] },
	begins: ['```tool_code'],
	reportedAs: 'quoted',
};

/** Elements with keys and values. Hy4 adds a suffix to every tag. */
const argumentTags = (suffix: string, ...end: string[]) =>
	tagged({
		open: `<tool_call${suffix}>`,
		key: `<arg_key${suffix}>`,
		value: [`</arg_key${suffix}>`, `<arg_value${suffix}>`],
		valueEnd: `</arg_value${suffix}>`,
		close: `</tool_call${suffix}>`,
		end,
	});

/** Variants of the bars in DeepSeek's markers. */
const BARS = ['｜', '｜｜', '‖', '|', '||', ' | '];
const dsml = (bar: string): Form => ({
	...special(invoke(`${bar}DSML${bar}`)),
	around: {
		open: [`<${bar}DSML${bar}function_calls>`, `<${bar}DSML${bar}tool_calls>`],
		close: [`</${bar}DSML${bar}function_calls>`, `</${bar}DSML${bar}tool_calls>`],
	},
});
const deepseek = (gap: string): Form => {
	const mark = (words: string) => `<｜${words.replaceAll(' ', gap)}｜>`;
	const [begin, separator, end] = [
		mark('tool call begin'),
		mark('tool sep'),
		mark('tool call end'),
	];
	const call = named(
		[`${begin}function${separator}`, begin],
		[separator, '```json'],
		`\n\`\`\`${end}`,
		`\`\`\`${end}`,
		end,
	);
	return special(inside(mark('tool calls begin'), mark('tool calls end'), call));
};

const family = (
	id: string,
	label: string,
	model: RegExp,
	rest: Omit<Family, 'id' | 'label' | 'model'>,
): Family => ({
	id,
	label,
	model,
	...rest,
});

/** Order matters: the first family that matches counts. */
export const FAMILIES: readonly Family[] = [
	family('harmony', 'gpt-oss (harmony)', /gpt-?oss/i, {
		template: /<\|channel\|>/,
		forms: [
			{
				...special(harmonyCall),
				around: {
					open: ['<|end|>', '<|start|>assistant', ...harmonyChannels, 'commentary'],
					close: [],
				},
				begins: ['<|end|>', '<|start|>assistant', ...harmonyChannels],
			},
			{ ...bare(harmonyCall), around: { open: ['commentary', 'analysis'], close: [] } },
		],
		thinking: [
			['<|channel|>analysis<|message|>', '<|end|>'],
			['<|start|>assistant<|channel|>analysis<|message|>', '<|end|>'],
		],
		parsers: { vllm: 'openai', sglang: 'gpt-oss' },
	}),
	family(
		'qwen3Coder',
		'Qwen3-Coder',
		/qwen-?3-?coder|qwen-?3\.[5-9]|nemotron-?3|step-?3\.5|mimo-?v2/i,
		{
			template: /<parameter=/,
			forms: [inTag('tool_call', functionTag)],
			parsers: { vllm: 'qwen3_coder', sglang: 'qwen3_coder' },
		},
	),
	family('seedOss', 'Seed-OSS', /seed-?oss/i, {
		template: /<seed:tool_call>/,
		forms: [inTag('seed:tool_call', functionTag)],
		thinking: [['<seed:think>', '</seed:think>']],
		parsers: { vllm: 'seed_oss' },
	}),
	family('miniCpm5', 'MiniCPM5', /minicpm-?5/i, {
		template: /<function name="/,
		forms: [invoke('', 'function', 'param')],
	}),
	family('muse', 'Muse', /(?:^|[^a-z])muse/i, {
		template: /<atem:/,
		forms: [special(inTag('atem:function_calls', invoke('atem:')))],
	}),
	family('deepSeekDsml', 'DeepSeek V3.2 (DSML)', /deepseek-?v(?:3\.2|[4-9])/i, {
		template: /DSML/,
		forms: BARS.map(dsml),
		parsers: { vllm: 'deepseek_v32', sglang: 'deepseekv32' },
	}),
	family('deepSeek', 'DeepSeek', /deepseek|step-?3/i, {
		template: /<｜tool.calls?.begin｜>/,
		forms: [...['▁', ' ', '_', '\\_'].map(deepseek), bare(named(['function'], ['```json'], '```'))],
		parsers: { vllm: 'deepseek_v31', sglang: 'deepseekv31' },
	}),
	family('functionary', 'Functionary 3.2', /functionary/i, {
		template: />>>/,
		forms: [named(['>>>']), bareName],
		parsers: { vllm: 'functionary' },
	}),
	family('olmo3', 'Olmo 3', /olmo-?3/i, {
		template: /<function_calls>/,
		forms: [inTag('function_calls', pythonLines), inTag('function_calls', python), bare(python)],
		parsers: { vllm: 'olmo3' },
	}),
	family('llama4', 'Llama 4', /llama-?4/i, {
		template: /<\|python_start\|>/,
		forms: [special(inside('<|python_start|>', '<|python_end|>', python)), bare(python), bareJson],
		parsers: { vllm: 'llama4_pythonic', sglang: 'pythonic' },
	}),
	family('llama3', 'Llama 3', /llama-?3/i, {
		template: /<\|python_tag\|>|"parameters": dictionary|<\|eom_id\|>/,
		forms: [
			special({ shape: { kind: 'json', open: ['<|python_tag|>'], separated: true } }),
			named(['<function='], ['>'], '</function>'),
			bareJson,
		],
		parsers: { vllm: 'llama3_json', sglang: 'llama3' },
	}),
	family('mistral', 'Mistral', /mistral|mixtral|devstral|magistral|ministral|codestral/i, {
		template: /\[TOOL_CALLS\]/,
		forms: [
			special(json('[TOOL_CALLS]')),
			special(named(['[TOOL_CALLS]'], ['[CALL_ID]', '[ARGS]'])),
			bareName,
			bareJson,
		],
		parsers: { vllm: 'mistral', sglang: 'mistral' },
	}),
	family('kimiK2', 'Kimi K2', /kimi-?k2/i, {
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
	}),
	family('kimiK3', 'Kimi K3', /kimi-?k3/i, {
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
	}),
	family('hunyuan3', 'Hunyuan 3', /(?:^|[^a-z])(?:hy|hunyuan)[-_]?v?[34](?![\db])/i, {
		template: /<tool_sep>|<tool_calls:/,
		forms: [
			inTag('tool_calls', argumentTags('', '<tool_sep>')),
			special(inTag('tool_calls:opensource', argumentTags(':opensource'))),
		],
		thinking: [['<think:opensource>', '</think:opensource>']],
		parsers: { vllm: 'hy_v3' },
	}),
	family('glm', 'GLM-4.5', /glm-?4\.[5-9]|glm-?[5-9]|ling-?3|laguna/i, {
		template: /<arg_key>/,
		forms: [argumentTags('')],
		parsers: { vllm: 'glm45', sglang: 'glm45' },
	}),
	family('miniMaxM2', 'MiniMax M2', /minimax-?m2/i, {
		template: /<minimax:tool_call>/,
		forms: [inTag('minimax:tool_call', invoke('')), json('[TOOL_CALL]', '[/TOOL_CALL]')],
		// From M3 (vllm-project/vllm issue 46042).
		thinking: [['<mm:think>', '</mm:think>']],
		parsers: { vllm: 'minimax_m2', sglang: 'minimax-m2' },
	}),
	family('toolCallsList', 'Hunyuan, Jamba, MiniMax M1', /hunyuan|jamba|apriel|minimax-?m1/i, {
		template: /<tool_calls>/,
		forms: [json('<tool_calls>', '</tool_calls>')],
		parsers: { vllm: 'hunyuan_a13b' },
	}),
	family('gemma4', 'Gemma 4', /gemma-?4/i, {
		template: /<\|tool_call>/,
		forms: [gemmaCall('<|tool_call>call:', '<tool_call|>', '<|"|>'), strippedGemma],
		thinking: [['<|channel>thought\n', '<channel|>']],
		parsers: { vllm: 'gemma4', sglang: 'gemma4' },
	}),
	family('functionGemma', 'FunctionGemma', /function-?gemma/i, {
		template: /<start_function_call>/,
		forms: [
			gemmaCall('<start_function_call>call:', '<end_function_call>', '<escape>'),
			strippedGemma,
		],
		parsers: { vllm: 'functiongemma' },
	}),
	family('gemma3', 'Gemma 3', /gemma-?3/i, {
		forms: [toolCode, bare(python), bareJson],
	}),
	family('phi4', 'Phi-4-mini', /phi-?4-?mini|firefunction/i, {
		template: /functools|<\|\/tool_call\|>/,
		forms: [json('functools'), special(json('<|tool_call|>', '<|/tool_call|>'))],
		parsers: { vllm: 'phi4_mini_json' },
	}),
	family('granite3', 'Granite 3', /granite-?3/i, {
		template: /<\|tool_call\|>/,
		forms: [special(json('<|tool_call|>')), bareJson],
		parsers: { vllm: 'granite' },
	}),
	family('commandRPlus', 'Command R+', /command-?r(?!7)/i, {
		template: /Write 'Action:'/,
		forms: ['Action: ```json', 'Action:\n```json'].map((open) => ({
			...json(open, '```'),
			reportedAs: 'quoted',
		})),
	}),
	family('command', 'Command R7B', /command-?(?:r7b|a)(?:[^a-z]|$)|cohere2/i, {
		template: /<\|START_ACTION\|>/,
		forms: [special(json('<|START_ACTION|>', '<|END_ACTION|>')), bareJson],
		thinking: [['<|START_THINKING|>', '<|END_THINKING|>']],
		parsers: { vllm: 'cohere_command3' },
	}),
	family('nemotronNano2', 'Nemotron Nano v2', /nemotron-?nano.{0,50}v2/i, {
		template: /<TOOLCALL>/,
		forms: [json('<TOOLCALL>', '</TOOLCALL>')],
		parsers: { vllm: 'nemotron_json' },
	}),
	family('lfm2', 'LFM2', /lfm-?2/i, {
		template: /<\|tool_call_start\|>/,
		forms: [
			special(inside('<|tool_call_start|>', '<|tool_call_end|>', python)),
			special(json('<|tool_call_start|>', '<|tool_call_end|>')),
			bare(python),
		],
		parsers: { vllm: 'lfm2', sglang: 'lfm2' },
	}),
	family('apertus', 'Apertus', /apertus/i, {
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
	}),
	family('internLm', 'InternLM', /internlm|intern-?s1/i, {
		template: /<\|action_start\|>/,
		forms: [
			special(json('<|action_start|><|plugin|>', '<|action_end|>')),
			special(json('<|action_start|> <|plugin|>', '<|action_end|>')),
		],
		parsers: { vllm: 'internlm', sglang: 'interns1' },
	}),
	family('gigaChat3', 'GigaChat 3', /gigachat-?3/i, {
		template: /<\|role_sep\|>/,
		forms: [special(json('function call<|role_sep|>'))],
		parsers: { vllm: 'gigachat3', sglang: 'gigachat3' },
	}),
	family('solar', 'Solar', /solar/i, {
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
	}),
	family('xLam', 'xLAM', /xlam/i, {
		fineTunes: /xlam/i,
		forms: [json('[TOOL_CALLS]'), bareJson],
		parsers: { vllm: 'xlam' },
	}),
	family('hermes', 'Hermes, Qwen', /hermes|qwen|qwq|granite-?4|reka|mimo-?vl|ernie/i, {
		fineTunes: /hermes/i,
		template: /<tool_call>/,
		forms: [json('<tool_call>', '</tool_call>'), bareJson],
		parsers: { vllm: 'hermes', sglang: 'qwen25' },
	}),
	family('lmStudio', 'LM Studio', /(?!)/, {
		forms: [json('[TOOL_REQUEST]', '[END_TOOL_REQUEST]')],
	}),
];

/** What the family of a model is derived from. */
interface FamilySigns {
	/** The user's choice. */
	setting?: string;
	template?: string;
	model: string;
	/** The server's own format, for models without one. */
	fallback?: string;
}

/** The name of a fine-tune often holds that of its base: `Hermes-3-Llama-3.1-8B`, `Llama-xLAM-2-8b`. */
function familyByName(model: string): Family | undefined {
	return (
		FAMILIES.find(({ fineTunes }) => fineTunes?.test(model) === true) ??
		FAMILIES.find((family) => family.model.test(model))
	);
}

const byName = LruCache.shared<[Family?]>();

/** The family of a model: by the user's choice, else by its template, else by its name, else the server's own. */
export function familyOf({ setting, template, model, fallback }: FamilySigns): Family | undefined {
	if (setting !== undefined && setting !== 'auto') return FAMILIES.find(({ id }) => id === setting);
	let known = byName.get(model);
	if (known === undefined) byName.set(model, (known = [familyByName(model)]));
	return (
		FAMILIES.find((family) => template !== undefined && family.template?.test(template) === true) ??
		known[0] ??
		FAMILIES.find(({ id }) => id === fallback)
	);
}
