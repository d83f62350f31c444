/**
 * The marks of calls as data. Only a mark in `CALL_MARKS` begins a call that can run. What looks like another one leads to a
 * hint, is not shown before it is decided, does not go back to the model, and is broken in foreign texts.
 */
import { toAlternatives } from '../mark-patterns';

/** A prefix of tags. */
interface TagPrefix {
	prefix: string;
	/** The model that writes it, and where it is described. */
	source: string;
}

const PREFIXES: readonly TagPrefix[] = [
	{ prefix: 'seed:', source: 'Seed-OSS: its chat template' },
	{ prefix: 'minimax:', source: 'MiniMax M2: its chat template' },
	{ prefix: 'steptml:', source: 'Step 3: lightseekorg/smg, step3.rs' },
	{ prefix: 'atem:', source: 'Glimmer: ollama/ollama, model/parsers/glimmer.go' },
	{ prefix: 'longcat_', source: 'LongCat: mlx-lm, tool_parsers/longcat.py' },
	{ prefix: 'ifm|', source: 'K2 Horizon: its chat template' },
	{ prefix: '｜DSML｜', source: 'DeepSeek V3.2: its chat template' },
	{ prefix: '｜DSML｜ ', source: 'DeepSeek V4.1: its chat template' },
	{ prefix: '‖DSML‖', source: 'DeepSeek, as servers write its bars: GenericAgent issue 804' },
	{ prefix: '｜｜DSML｜｜', source: 'the same' },
];

/** A prefix of tags, or none. */
export const PREFIX = `(?:${toAlternatives(PREFIXES.map(({ prefix }) => prefix))})?`;

/** The token before each tag of MiniMax M3 (sgl-project/sglang, minimax_m3.py). */
export const NAMESPACE_TOKEN = String.raw`(?:\]<\]minimax\[>\[)?`;

/** A prefix of tags in texts that are only searched for marks. */
const ANY_PREFIX = String.raw`(?:[|｜‖]{1,2}[A-Za-z]{1,20}[|｜‖]{1,2} ?|[A-Za-z][\w-]{0,20}[:|])?`;
const ANY_NAMESPACE_TOKEN = String.raw`(?:\]<\]\w{1,20}\[>\[)?`;

/** What names of marks may contain. */
const NAME_PART = String.raw`[\w.:-]{0,40}`;
const CALL_WORD = '(?:tool|func|call|action|invoke|plugin|python|interpreter)';
/** DeepSeek's models write their blank `▁` also in other ways (sgl-project/sglang, `deepseekv3_detector.py`). */
const WIDE_NAME_PART = String.raw`[\w▁ \\]{0,40}`;

/** What follows `<` in a mark that begins a block. */
const BLOCK_MARK_REST = `(?:\\|?${ANY_PREFIX}${NAME_PART}${CALL_WORD}${NAME_PART}\\|?|｜${WIDE_NAME_PART}${CALL_WORD}${WIDE_NAME_PART}｜)>`;

/** What looks like a mark that begins a block: its name speaks of a tool, a function or a call. */
export const MARK_OF_TOOLS = new RegExp(`${ANY_NAMESPACE_TOKEN}<${BLOCK_MARK_REST}`, 'iy');

/** What may begin a call wherever it stands: a mark, a tag with a name, a header. The readers decide what it is. */
const BEGINNINGS = [
	MARK_OF_TOOLS.source,
	`${ANY_NAMESPACE_TOKEN}<${ANY_PREFIX}(?:function|invoke)[\\s=]`,
	String.raw`<\|(?:start|channel)\|>`,
	String.raw`\[TOOL_(?:CALLS|REQUEST)\]`,
	String.raw`\bfunctools\[`,
];
export const BEGINNING = new RegExp(BEGINNINGS.join('|'), 'gi');

/** Words in the names of marks that only calls have. HTML has none of them in its tags. */
const CALL_NAME = String.raw`(?:(?:tool|function)s?[_▁ ]?(?:calls?|use|sep)|[\w▁]{1,20}_calls?|calls?|invoke|arg_key|arg_value|python_(?:tag|start)|action_start|start_action|tools_prefix)(?=[\s=>|｜:_▁"])`;
/** What follows `<` in such a mark, with or without attributes. */
const CALL_MARK_REST = String.raw`[|｜/]{0,2}${ANY_PREFIX}(?:[\w▁]{0,20}?${CALL_NAME}|(?:function|parameter)[ \t]{0,4}=|(?:function|param|parameter)[ \t]{1,4}name[ \t]{0,4}=)`;
/** Such a mark anywhere in a text. */
export const CALL_MARK = new RegExp(
	[
		`<${CALL_MARK_REST}`,
		String.raw`<\|(?:start|channel)\|>[^<>\n]{0,60}?\bto=[\w.]`,
		String.raw`\[(?:TOOL_CALLS|CALL_ID|ARGS|(?:END_)?TOOL_REQUEST)\]`,
		String.raw`\bfunctools\[`,
		String.raw`\]<\]\w{1,20}\[>\[`,
	].join('|'),
	'i',
);

/** A complete mark with such a name, at either end of a block. */
export const CALL_TAG_ANYWHERE = new RegExp(`<${CALL_MARK_REST}[^<>\\n]{0,80}>`, 'i');

/** The end of an element of a call, which HTML has not. */
export const ELEMENT_END = /<\/(?:function|param|parameter)>/i;

/** What follows a mark of a block in a call: JSON, a further mark, or a name with its arguments. */
const CALL_CONTENT = String.raw`\s*(?:\{\s*["'}]|\[\s*[[{\w]|<[|｜]|</?(?:function|invoke|parameter|param|arg_)|(?:function|call:)?[\w.:-]{1,128}\s*(?:\(|\{|<[|｜]|<arg_))`;

/** The same, to be read at the position of a cursor. */
export const CONTENT_OF_CALL = new RegExp(CALL_CONTENT, 'y');

/** The beginning of any of these marks, perhaps not complete: what follows it is not shown while more may arrive. */
export const MARK_BEGINNING =
	/<(?:\/?[|｜‖]|\/?[\w:|]{0,20}(?:tool|func|call|action|invoke|plugin|python))|\[(?:TOOL_CALLS|(?:END_)?TOOL_REQUEST)\]|\]<\]\w|\bfunctools\[/i;

/** Marks that begin no call: those around results, examples and definitions, and those at the end of a block, `<|x_end|>` and `<x|>`. */
export const OTHER_MARK =
	/response|result|output|example|descri|defini|declar|available|schema|[_:|]info\b|[_▁ :<|｜]end[_▁ :>|｜]|^<[^|]+\|>/i;

/** A mark that begins a block of calls, and how the block ends. */
export interface CallMark {
	/** The models that write it, and who documents that. */
	source: string;
	/** Marks with the same end. */
	open: readonly string[];
	/** The mark that ends the block; null for a mark that only precedes its calls. Default: it follows from the name. */
	close?: string | null;
	/** Whether the mark at the end is a stop token, which servers remove. */
	isStopToken?: boolean;
	/** Whether text may follow the calls, if they begin the response. */
	allowsTextAfter?: boolean;
	/** A mark that may follow the block: the model goes on with the result of its call. */
	next?: string;
}

export const CALL_MARKS: readonly CallMark[] = [
	{
		source: 'Hermes, Qwen, GLM, Granite 4 and many others: vllm-project/vllm, tool_parsers',
		open: ['<tool_call>'],
	},
	{
		source: 'Seed-OSS, MiniMax M2, LongCat, K2 Horizon: see the prefixes',
		open: [
			'<seed:tool_call>',
			'<minimax:tool_call>',
			'<longcat_tool_call>',
			'<ifm|tool_call>',
			'<ifm|tool_calls>',
		],
	},
	{
		source: 'MiniMax M3: sgl-project/sglang, minimax_m3.py',
		open: [']<]minimax[>[<tool_call>'],
	},
	{
		source:
			'Hunyuan A13B, Jamba, MiniMax M1, Apriel: vllm-project/vllm, hunyuan_a13b_tool_parser.py, jamba_tool_parser.py, minimax_tool_parser.py; the chat template of Apriel',
		open: ['<tool_calls>'],
	},
	{
		source: 'Olmo 3: vllm-project/vllm, olmo3_tool_parser.py. Glimmer: see the prefixes',
		open: ['<function_calls>', '<atem:function_calls>'],
	},
	{
		source:
			'Granite 20B has no mark at the end: <|endoftext|> ends the turn (vllm-project/vllm, tool_chat_template_granite_20b_fc.jinja). Others have one',
		open: ['<function_call>'],
		close: '</function_call>',
		isStopToken: true,
	},
	{
		source: 'DeepSeek V3.2 and newer: their chat templates',
		open: [
			'<｜DSML｜function_calls>',
			'<｜DSML｜tool_calls>',
			'<｜DSML｜ function_calls>',
			'<｜DSML｜ tool_calls>',
			'<‖DSML‖function_calls>',
			'<‖DSML‖tool_calls>',
			'<｜｜DSML｜｜function_calls>',
			'<｜｜DSML｜｜tool_calls>',
		],
	},
	{ source: 'dots: its chat template', open: ['<dots_function_call>'] },
	{ source: 'Nemotron Nano 2: its chat template', open: ['<TOOLCALL>'] },
	{
		source: 'FunctionGemma (ai.google.dev/gemma/docs/functiongemma) may begin the result itself',
		open: ['<start_function_call>'],
		next: '<start_function_response>',
	},
	{
		source: 'DeepSeek V3, R1 and V3.1, in the spellings of ggml-org/llama.cpp, chat.cpp. Step 3',
		open: [
			'<｜tool▁calls▁begin｜>',
			'<｜tool▁call▁begin｜>',
			'<｜tool_calls_begin｜>',
			'<｜tool_call_begin｜>',
			'<｜tool calls begin｜>',
			'<｜tool call begin｜>',
			'<｜tool\\_calls\\_begin｜>',
			'<｜tool\\_call\\_begin｜>',
		],
	},
	{
		source: 'The same: ggml-org/llama.cpp, chat.cpp',
		open: ['<｜tool▁calls｜>'],
		close: '<｜tool▁calls▁end｜>',
	},
	{
		source: 'Kimi K2: vllm-project/vllm, kimi_k2_tool_parser.py, with both spellings',
		open: ['<|tool_calls_section_begin|>', '<|tool_call_section_begin|>', '<|tool_call_begin|>'],
	},
	{
		source: "LM Studio's syntax for models without one of their own (lmstudio.ai/docs, tool use)",
		open: ['[TOOL_REQUEST]'],
		close: '[END_TOOL_REQUEST]',
	},
	{ source: 'Solar Open: its chat template', open: ['<|tool_call:begin|>'] },
	{
		source: 'Solar Open: its chat template, which ends the turn with <|calls|>',
		open: ['<|tool_calls|>'],
		close: '<|calls|>',
		isStopToken: true,
	},
	{
		source:
			'Granite 3 ends its list with the turn (ibm-granite model cards; vllm-project/vllm, granite_tool_parser.py). Phi-4-mini has an end (phi4mini_tool_parser.py)',
		open: ['<|tool_call|>'],
		close: '<|/tool_call|>',
		isStopToken: true,
	},
	{
		source: 'Llama 3.1 and newer (llama.com, prompt formats): <|eom_id|> ends the turn',
		open: ['<|python_tag|>'],
		close: '<|eom_id|>',
		isStopToken: true,
	},
	{
		source: 'Llama 4: vllm-project/vllm, tool_chat_template_llama4_pythonic.jinja',
		open: ['<|python_start|>'],
	},
	{
		source: 'InternLM 2 (InternLM/InternLM, chat format): <|action_end|> ends the turn',
		open: ['<|action_start|>'],
		close: '<|action_end|>',
		isStopToken: true,
	},
	{
		source: 'InternLM 2: the kind of action',
		open: ['<|plugin|>', '<|interpreter|>'],
		close: null,
	},
	{
		source: 'GigaChat 3.1 ends its call with the message (its chat template)',
		open: ['<|function_call|>'],
		close: '<|message_sep|>',
		isStopToken: true,
	},
	{
		source:
			"LFM2 writes text after its calls (Liquid's model cards). MiniCPM 4 (its chat template)",
		open: ['<|tool_call_start|>'],
		allowsTextAfter: true,
	},
	{
		source: 'Gemma 4 (its chat template; llama.cpp 21316) may begin the result itself',
		open: ['<|tool_call>'],
		next: '<|tool_response>',
	},
];

/** Hunyuan 3 and 4, with a suffix of each version (lightseekorg/smg, `hy_v4`; mlx-lm, `hy_v3`). */
const MARK_WITH_SUFFIX = '<tool_calls?:\\w{1,40}>';

/** A mark that begins a block of calls. */
export const BLOCK_MARK = new RegExp(
	`${toAlternatives(CALL_MARKS.flatMap(({ open }) => open))}|${MARK_WITH_SUFFIX}`,
	'y',
);

/** How the block ends that a mark begins. */
export type BlockEnd = Pick<CallMark, 'isStopToken' | 'allowsTextAfter' | 'next'> & {
	/** Undefined for a mark that only precedes its calls. */
	close: string | undefined;
};

const ROW_BY_MARK = new Map(CALL_MARKS.flatMap((row) => row.open.map((mark) => [mark, row])));

/** How a block ends, by the mark that begins it. */
export function getBlockEnd(mark: string): BlockEnd {
	const { close = getClosingMark(mark), ...row } = ROW_BY_MARK.get(mark) ?? {};
	return { ...row, close: close ?? undefined };
}

/** How the mark that ends a block follows from the one that begins it. The first row that matches counts. */
const CLOSING_RULES: ReadonlyArray<readonly [open: RegExp, close: string]> = [
	// <|x_begin|>, <|x_start|>, <｜x▁begin｜>, <start_x>
	[/(?<=[_▁ :<|｜])(?:begin|start)(?=[_▁ :>|｜])/, 'end'],
	// <|START_ACTION|>
	[/(?<=[_<|])(?:BEGIN|START)(?=[_>|])/, 'END'],
	// <|open|>think<|sep|>
	[/(?<=^<\|)open(?=\|>)/, 'close'],
	// <|tools_prefix|>
	[/(?<=_)prefix(?=\|>)/, 'suffix'],
	// <|x>
	[/^<\|([^|]+)>$/, '<$1|>'],
	// <x>, <｜DSML｜x>, and both after the token of a namespace
	[/<([^<>]*[^<>|｜])>$/, '</$1>'],
	// <|x|>
	[/^<([|｜])([^<>]+)>$/, '<$1/$2>'],
];

/** The mark that ends a block, by the mark that begins it. */
export function getClosingMark(mark: string): string {
	const [open, close] = CLOSING_RULES.find(([pattern]) => pattern.test(mark)) ?? ['', ''];
	return mark.replace(open, close);
}
