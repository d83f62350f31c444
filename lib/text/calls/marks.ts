/**
 * The marks of calls as data. What is in no table here is covered by the rules: any tag or token whose name speaks of a
 * tool, a function or a call may begin a block, and its end follows from its name.
 */

/** Prefixes of the tags of one model: `seed:`, `minimax:`, `ifm|`, `｜DSML｜` (since DeepSeek V4.1 with a blank). */
export const PREFIX = String.raw`(?:[|｜][A-Za-z]{1,20}[|｜] ?|[A-Za-z][\w-]{0,20}[:|])?`;

/** The token before each tag of MiniMax M3 (sgl-project/sglang, minimax_m3.py). */
export const NAMESPACE_TOKEN = String.raw`(?:\]<\]\w{1,20}\[>\[)?`;

/** What names of marks may contain. */
const NAME_PART = String.raw`[\w.:-]{0,40}`;
const CALL_WORD = '(?:tool|func|call|action|plugin|python|interpreter)';
/** DeepSeek's models write their blank `▁` also in other ways (sgl-project/sglang, `deepseekv3_detector.py`). */
const WIDE_NAME_PART = String.raw`[\w▁ \\]{0,40}`;

/** What follows `<` in a mark that begins a block. */
const BLOCK_MARK_REST = `(?:\\|?${PREFIX}${NAME_PART}${CALL_WORD}${NAME_PART}\\|?|｜${WIDE_NAME_PART}${CALL_WORD}${WIDE_NAME_PART}｜)>`;

/** A mark that begins a block, such as `<tool_call>`, `<|tool_call_start|>`, `<|tool_call>`, `<｜tool▁calls▁begin｜>`. */
export const BLOCK_MARK = new RegExp(`${NAMESPACE_TOKEN}<${BLOCK_MARK_REST}`, 'iy');

/**
 * What begins a call wherever it stands: a mark, a tag with a name, a header. The readers decide what it is.
 */
const BEGINNINGS = [
	BLOCK_MARK.source,
	`${NAMESPACE_TOKEN}<${PREFIX}(?:function|invoke)[\\s=]`,
	String.raw`<\|(?:start|channel)\|>`,
	String.raw`\[TOOL_CALLS\]`,
	String.raw`\bfunctools\[`,
];
export const BEGINNING = new RegExp(BEGINNINGS.join('|'), 'gi');

/** Words in the names of marks that only calls have. HTML has none of them in its tags. */
const CALL_NAME = String.raw`(?:(?:tool|function)s?[_▁ ]?(?:calls?|use)|[\w▁]{1,20}_calls?|calls?|invoke|arg_key|arg_value|python_(?:tag|start)|action_start|start_action|tools_prefix)(?=[\s=>|｜:_▁"])`;
/** What follows `<` in such a mark, with or without attributes. */
const CALL_MARK_REST = String.raw`[|｜/]{0,2}${PREFIX}(?:[\w▁]{0,20}?${CALL_NAME}|(?:function|parameter)[ \t]{0,4}=|(?:function|param|parameter)[ \t]{1,4}name[ \t]{0,4}=)`;
/** Such a mark anywhere in a text. */
export const CALL_MARK = new RegExp(
	[
		`<${CALL_MARK_REST}`,
		String.raw`<\|(?:start|channel)\|>[^\n]{0,60}?to=functions\.`,
		String.raw`\[TOOL_CALLS\]`,
		String.raw`\bfunctools\[`,
		String.raw`\]<\]\w{1,20}\[>\[`,
	].join('|'),
	'i',
);

/** What follows a mark of a block in a call: JSON, a further mark, or a name with its arguments. */
const CALL_CONTENT = String.raw`\s*(?:\{\s*["'}]|\[\s*[[{\w]|<[|｜]|</?(?:function|invoke|parameter|param|arg_)|(?:function|call:)?[\w.:-]{1,128}\s*(?:\(|\{|<[|｜]|<arg_))`;

/** What follows `<` in each mark that a reader of calls reads. Foreign texts must not contain it (lib/text/marks.ts). */
export const READABLE_MARK_RESTS: readonly RegExp[] = [
	new RegExp(CALL_MARK_REST),
	new RegExp(`${BLOCK_MARK_REST}${CALL_CONTENT}`),
];

/** The same, to be read at the position of a cursor. */
export const CONTENT_OF_CALL = new RegExp(CALL_CONTENT, 'y');

/** The beginning of any of these marks, perhaps not complete: what follows it is not shown while more may arrive. */
export const MARK_BEGINNING =
	/<(?:[|｜]|\/?[\w:|]{0,20}(?:tool|func|call|action|invoke|plugin|python))|\[TOOL_CALLS\]|\]<\]\w|\bfunctools\[/i;

/** Marks that begin no call: those around results, examples and definitions, and those at the end of a block, `<|x_end|>` and `<x|>`. */
export const OTHER_MARK =
	/response|result|output|example|descri|defini|declar|available|schema|[_:|]info\b|[_▁ :<|｜]end[_▁ :>|｜]|^<[^|]+\|>/i;

/** How a block ends whose marks do not follow the rules. */
export interface MarkRule {
	/** The mark that ends the block; undefined for a mark that only precedes its calls. */
	close?: string;
	/** Whether the mark at the end is a stop token, which servers remove. */
	isStopToken?: boolean;
	/** Whether text may follow the calls, if they begin the response. */
	allowsTextAfter?: boolean;
	/** A mark that may follow the block: the model goes on with the result of its call. */
	next?: string;
}

/** Exceptions by the mark that begins a block, each with its source. */
export const MARK_RULES: Readonly<Record<string, MarkRule>> = {
	// Granite 3 ends its list with the turn (ibm-granite model cards; vLLM, granite_tool_parser.py). Phi-4-mini has an end.
	'<|tool_call|>': { close: '<|/tool_call|>', isStopToken: true },
	// Llama 3.1 and newer (llama.com, prompt formats): <|eom_id|> ends the turn.
	'<|python_tag|>': { close: '<|eom_id|>', isStopToken: true },
	// InternLM2 (InternLM/InternLM, chat format): <|action_end|> ends the turn; <|plugin|> names the kind of action.
	'<|action_start|>': { close: '<|action_end|>', isStopToken: true },
	'<|plugin|>': {},
	'<|interpreter|>': {},
	// GigaChat 3.1 ends its call with the message (its chat template).
	'<|function_call|>': { close: '<|message_sep|>', isStopToken: true },
	// Solar Open (its chat template) ends the turn with <|calls|>.
	'<|tool_calls|>': { close: '<|calls|>', isStopToken: true },
	// LFM2 (Liquid's model cards) writes text after its calls.
	'<|tool_call_start|>': { close: '<|tool_call_end|>', allowsTextAfter: true },
	// Gemma 4 (llama.cpp 21316) may begin the result itself.
	'<|tool_call>': { close: '<tool_call|>', next: '<|tool_response>' },
};

/** How the mark that ends a block follows from the one that begins it. The first row that matches counts. */
const CLOSING_RULES: ReadonlyArray<readonly [open: RegExp, close: string]> = [
	// <|x_begin|>, <|x_start|>, <｜x▁begin｜>, <start_x>
	[/(?<=[_▁ :<|｜])(?:begin|start)(?=[_▁ :>|｜])/, 'end'],
	// <|START_ACTION|>
	[/(?<=[_<|])(?:BEGIN|START)(?=[_>|])/, 'END'],
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
