/**
 * The marks of calls by their form: a tag, a token or brackets whose name speaks of a tool, a function or a call, or a header
 * (`header-calls.ts`). No model has a row: which mark ends a block follows from the one that begins it.
 */

/** A prefix of tags: `seed:`, `ifm|`, DeepSeek's `｜DSML｜` in the spellings of servers. */
export const PREFIX = String.raw`(?:[|｜‖]{1,2}[A-Za-z]{1,20}[|｜‖]{1,2} ?|[A-Za-z][\w-]{0,20}[:|])?`;

/** A token before each tag: MiniMax M3 (sgl-project/sglang, `minimax_m3.py`). */
export const NAMESPACE_TOKEN = String.raw`(?:\]<\]\w{1,20}\[>\[)?`;

/** What names of marks may contain; DeepSeek's models write their blank `▁` also in other ways (sgl-project/sglang, `deepseekv3_detector.py`). */
const NAME_PART = String.raw`[\w.:-]{0,40}`;
const WIDE_NAME_PART = String.raw`[\w▁ \\]{0,40}`;
const CALL_WORD = '(?:tool|func|call|action|invoke|plugin|python|interpreter)';

/** Most `<` of a text begin no such tag: this is found out before its parts are compared, of which each may have any length. */
const IS_TAG_WITH_WORD = String.raw`(?=[^<>]{1,140}>)(?=[^<>]{0,110}?${CALL_WORD})`;

/** A tag or a token with such a word in it; `isBlockMark` tells whether it begins a block. */
const TAG = `${NAMESPACE_TOKEN}<${IS_TAG_WITH_WORD}(?:\\|?${PREFIX}${NAME_PART}${CALL_WORD}${NAME_PART}\\|?|｜${WIDE_NAME_PART}${CALL_WORD}${WIDE_NAME_PART}｜)>`;
/** Brackets are in capital letters: others are links and words. Mistral's are a header (`header-calls.ts`). */
const BRACKET = String.raw`\[(?!TOOL_CALLS\])(?:[A-Z]{1,20}_)?(?:TOOL|FUNCTION|CALL|INVOKE)(?:_?[A-Z]{1,20}){0,2}\]`;

/** Such a mark at the position of a cursor. */
export const TAG_OF_TOOLS = new RegExp(TAG, 'iy');
/** Such marks anywhere. */
export const MARK_OF_TOOLS = new RegExp(`${TAG}|${BRACKET}`, 'gi');
const BRACKET_HERE = new RegExp(BRACKET, 'y');

/** What may begin a call wherever it stands: a mark, a tag with a name, a header. The readers decide what it is. */
export const BEGINNING = new RegExp(
	[
		TAG,
		`${NAMESPACE_TOKEN}<${PREFIX}(?:function|invoke)[\\s=]`,
		String.raw`<\|(?:start|channel)\|>`,
		BRACKET,
		String.raw`\[TOOL_CALLS\]`,
		String.raw`\bfunctools\[`,
	].join('|'),
	'gi',
);

/** Words of the names of marks. */
const WORD = /[A-Z]?[a-z]+|[A-Z]+/g;
/** Those of marks that begin a block. */
const BLOCK_WORD = /^(?:tools?|functions?|(?:tool|function)?calls?|invoke)$/i;
/** Further ones in the tokens of templates, `<|x|>`: Llama's and InternLM's. In a tag they are names of other things. */
const BLOCK_WORD_OF_TOKEN = /^(?:action|plugin|python|interpreter)$/i;
/** Those of marks around results, examples and definitions, and of marks that end a block. */
const OTHER_WORD =
	/^(?:(?:response|result|output|example|definition|declaration)s?|descri\w*|declare|available|schemas?|info|list|end)$/i;
/** Brackets of links and words. */
const IN_SMALL_LETTERS = /^\[.*[a-z]/;
/** Marks that hold definitions: `<tools>`, `<functions>`. */
const DEFINITIONS = /^<(?:tools|functions)>$/i;
/** A mark that ends a block: `<x|>`, `</x>`, Harmony's `<|call|>`, Solar Open's `<|calls|>`. */
const END_MARK = /^<[^|]+\|>$|^<[|｜]?\/|^<\|calls?\|>$/;
/** A token of a chat template. */
const TOKEN = /^<[|｜].*[|｜]>$/;

/** Whether a mark begins a block of calls. */
export function isBlockMark(mark: string): boolean {
	if (isOtherMark(mark)) return false;
	const isToken = TOKEN.test(mark);
	return getWords(mark).some(
		(word) => BLOCK_WORD.test(word) || (isToken && BLOCK_WORD_OF_TOKEN.test(word)),
	);
}

/** Whether a mark holds something else than calls, or ends a block. */
export function isOtherMark(mark: string): boolean {
	return (
		IN_SMALL_LETTERS.test(mark) ||
		DEFINITIONS.test(mark) ||
		END_MARK.test(mark) ||
		getWords(mark).some((word) => OTHER_WORD.test(word))
	);
}

function getWords(mark: string): readonly string[] {
	return mark.match(WORD) ?? [];
}

/** The mark that begins a block of calls at a position of a text; undefined if none does. */
export function findBlockMark(text: string, at: number): string | undefined {
	const pattern = text[at] === '[' ? BRACKET_HERE : TAG_OF_TOOLS;
	pattern.lastIndex = at;
	const mark = pattern.exec(text)?.[0];
	return mark !== undefined && isBlockMark(mark) ? mark : undefined;
}

/** Words that say what is done with a tool. */
const USE =
	/^(?:(?:tool|function)?calls?|invoke|use|code|request|action|plugin|python|interpreter)$/i;

/** Whether a mark names a tool instead of a call of it, as `<tool>` does: what is in it may be a definition. */
export function namesOnlyATool(mark: string): boolean {
	return !getWords(mark).some((word) => USE.test(word));
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
	// [X]
	[/^\[(.*)\]$/, '[/$1]'],
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

/** How a block ends. */
export interface BlockEnd {
	/** The marks of which one ends it. */
	marks: readonly string[];
	/** Whether one of them has to be there, if the response goes on. */
	isRequired: boolean;
	/** Whether text may follow the calls, if they begin the response. */
	allowsTextAfter: boolean;
}

/** Whether a mark is a token that only precedes its calls, or ends them: `<|x|>`. The turn ends them. */
export function isBareToken(mark: string): boolean {
	return TOKEN.test(mark) && !/begin|start|prefix/i.test(mark);
}

/** LFM2 writes text after its calls (Liquid's model cards). */
const TOKEN_BEFORE_TEXT = '<|tool_call_start|>';

/** How a block ends, by the mark that begins it. */
export function getBlockEnd(mark: string): BlockEnd {
	const close = getClosingMark(mark);
	return {
		// LM Studio's [TOOL_REQUEST] ends with [END_TOOL_REQUEST].
		marks: mark.startsWith('[') ? [close, mark.replace('[', '[END_')] : [close],
		isRequired: !isBareToken(mark),
		allowsTextAfter: mark === TOKEN_BEFORE_TEXT,
	};
}

/** What follows the name of a mark. */
const END_OF_NAME = String.raw`(?=[\s=>|｜:_▁"])`;
/** Words in the names of marks that only calls have. HTML has none of them in its tags. */
const CALL_NAME = String.raw`(?:(?:tool|function)s?[_▁ ]?(?:calls?|use|sep)|calls?|invoke|arg_key|arg_value|python_(?:tag|start)|action_start|start_action|tools_prefix)${END_OF_NAME}`;
/** What follows `<` in such a mark, with or without attributes. */
const CALL_MARK_REST = String.raw`[|｜/]{0,2}${PREFIX}(?:[\w▁]{0,20}?${CALL_NAME}|[\w▁]{1,40}_calls?${END_OF_NAME}|(?:function|parameter)[ \t]{0,4}=|(?:function|param|parameter)[ \t]{1,4}name[ \t]{0,4}=)`;
/** What is in each such mark: found out before its parts are compared, of which each may have any length. */
const HAS_CALL_WORD = String.raw`(?=[^<>]{0,90}?(?:call|use|sep|invoke|arg_|python_|action|prefix|function|param))`;
/** Such a mark anywhere in a text. */
export const CALL_MARK = new RegExp(
	[
		`<${HAS_CALL_WORD}${CALL_MARK_REST}`,
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

/** In the name of a mark that ends a call. */
const CALL_IN_NAME = String.raw`(?=[^<>\n]{0,60}?(?:(?:tool|function)s?[_▁ \\]{0,2}(?:calls?|request)|_calls?\b))`;

/** A mark at the end of a text that ends a call, with the blanks after it. */
export const LAST_END_OF_CALL = new RegExp(
	`(?:${NAMESPACE_TOKEN}</${CALL_IN_NAME}[^<>\\n]{1,60}>|<(?:[|｜](?=/|[^<>\\n]{0,60}end)${CALL_IN_NAME}[^<>\\n]{1,60}[|｜]|${CALL_IN_NAME}[\\w:]{1,60}\\|)>|\\[(?:/|END_)(?:TOOL|FUNCTION)[A-Z_]{1,20}\\])\\s*$`,
	'i',
);

/** A token after the last call of a block that has no end of its own: servers may leave the one that ends the turn. */
export const TOKEN_AT_END = /<[|｜][^<>\n]{1,60}[|｜]>/y;

/** What a model may begin itself after its calls: their result (FunctionGemma, Gemma 4). */
export const RESULT_AT_END = /<\|?\w{0,40}response>/y;

/** What follows a mark of a block in a call: JSON, a further mark, or a name with its arguments, at the position of a cursor. */
export const CONTENT_OF_CALL =
	/\s*(?:\{\s*["'}]|\[\s*[[{\w]|<[|｜]|<\/?(?:function|invoke|parameter|param|arg_)|(?:function|call:)?[\w.:-]{1,128}\s*(?:\(|\{|<[|｜]|<arg_))/y;

/** The beginning of any of these marks, perhaps not complete: what follows it is not shown while more may arrive. */
export const MARK_BEGINNING =
	/<(?:\/?[|｜‖]|\/?[\w:|]{0,20}(?:tool|func|call|action|invoke|plugin|python))|\[\/?(?:END_)?(?:TOOL|FUNCTION|CALL|INVOKE)[A-Z_]{0,40}\]|\]<\]\w|\bfunctools\[/i;
