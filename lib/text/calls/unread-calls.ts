/** Finds markup that looks like a call of an offered tool, but that no reader reads. It only leads to a hint. */
import { normalizeLetters } from '../../values/text';
import { blankOutCode } from '../code-blocks';
import {
	CALL_MARK,
	ELEMENT_END,
	getClosingMark,
	isBareToken,
	isOtherMark,
	TAG_OF_TOOLS,
} from './call-marks';
import { findBeginnings, readTextCalls } from './read-text-calls';
import type { RawToolCall } from './types';

/** What is around the name of a tool that a text calls without a mark. */
interface CallHeader {
	/** Directly before the name. */
	before: RegExp;
	/** Directly after it. */
	after: RegExp;
}

/** Characters compared on either side of a name. */
const MAX_BEFORE = 100;
const MAX_AFTER = 60;
/** Occurrences of names that are compared. */
const MAX_OCCURRENCES = 2_000;

/** OpenAI's name space of tools, before a name. */
const NAMESPACE = /functions\.$/;

/** The name follows a tag, with at most brackets and a key between them, or is in one. */
const AFTER_TAG =
	/(?:<[|｜/\w][^<>]{0,60}>|\[[A-Z][A-Z_]+\]) ?([{[(]* ?(?:["']?\w{1,30}["']? ?[:=] ?)?["']?)$/;
/** Words may follow the tokens of a chat template. */
const AFTER_TOKEN = /<[|｜][^<>]{1,60}>[^<>\n]{0,40}$/;
/** Also in the attribute of an element between tokens (Kimi K3: sgl-project/sglang, `kimik3_format.py`). */
const IN_TAG = /<(?:[|｜]?\w|[|｜]\w{1,20}[|｜]>\w)[^<>]{0,40}[=:] ?["']?$|\bto=$/;
const IN_BRACKETS = /[[{(] ?(?:["']?\w{1,30}["']? ?[:=] ?)?["']?$/;
/** The name is the value of a key, as in `{"name":"N"`, `{"action": "N"`. */
const AFTER_KEY = /[{,] ?["']?\w{1,30}["']? ?: ?["']$/;

/** Arguments follow the name. */
const ARGUMENTS =
	/^["']?(?:\(| ?\{| ?\n ?[{<]|(?::\d{1,3})? ?<(?:arg|param|[|｜]|\/(?:tool|func|name|call))|\[(?:ARGS|CALL_ID)\])/;
/** The key of arguments follows, whose value is not a schema. */
const ARGUMENTS_KEY =
	/^["'] ?, ?["'](?:\w{0,20}arg\w{0,10}|\w{0,20}input|\w{0,20}param\w{0,10}|\w{0,10}args)["'] ?: ?(?!\[ ?[\]{]|\{ ?["'](?:type|properties|\$schema)["'])/i;
/** Arguments follow directly, without any mark: `N(a="b")`, `N{"a":…`, `functions.N:0{`. */
const BARE_ARGUMENTS =
	/^(?:\([A-Za-z_]\w{0,60} ?= ?["'\d[{TFN]|\(\{ ?["']|(?::\d{1,3})?\{ ?["']|\[(?:ARGS|CALL_ID)\])/;
/** The keys of a call and their values, in JSON that is damaged in one place. */
const NAME_KEY = /["']?\b(?:name|tool|tool_name|function|action)["']? ?[:=]? ?["']?$/;
const NEXT_KEY =
	/^["']? ?,? ?["']?(?:arguments|parameters|args|input|tool_input|action_input)["']? ?[:=]? ?["']?\{ ?(?:\}|["'](?!(?:type|properties|\$schema)["']))/;
/** What is around the names in calls without a mark. */
const HEADERS: readonly CallHeader[] = [
	// Functionary's header before JSON in the next line (its chat template, v3.2), and Gemma's without its marks.
	{ before: /(?:^|\n|>>>)$/, after: /^\n\{ ?["'}]/ },
	// The same in brackets (LM Studio with models that imitate its syntax), or after a word and a sign (HyperCLOVA X).
	{ before: /(?:^|\n)\[$/, after: /^\][ \n]?\{ ?["'}]/ },
	{ before: /(?:^|\n)(?:-> ?)?\w{1,20} ?[/:] ?$/, after: /^\n\{ ?["'}]/ },
	// CWM (vllm-project/vllm, `cwm_tool_parser.py`), with and without the end of its mark.
	{ before: /<tool: ?(?:\w{1,40}>[ \n]?)?$/, after: /^[ \n]/ },
	// VCP puts its values between signs of its own.
	{ before: /\[TOOL_REQUEST\][^[\]]{0,60}$/, after: /^/ },
	{ before: /\bcall:$/, after: /^\{/ },
	// The complete response is Apertus' list without its marks: `[{"N": {…}}]`.
	{ before: /^\[ ?\n?\{ ?\n?["']$/, after: /^["'] ?: ?\{/ },
	// The complete response is `N()` or `[N]`.
	{ before: /^$/, after: /^\(\)(?: ?<|$)/ },
	{ before: /^\[ ?$/, after: /^ ?\]$/ },
	{ before: NAME_KEY, after: NEXT_KEY },
	// The same as a hash of Ruby or Perl, as MiniMax writes it (openclaw, `assistant-visible-text.test.ts`).
	{
		before: /\b(?:name|tool|tool_name|function)["']? ?=> ?["']$/,
		after: /^["'] ?, ?\n?["':]{0,2}(?:arguments|parameters|args|input)["']? ?=> ?\{/,
	},
	// ReAct, in LangChain's prompt and Qwen's, and Qwen-Agent.
	{ before: /(?:^|\n)Action: ?$/, after: /^\n ?Action Input ?:/ },
	{ before: /✿FUNCTION✿: ?$/, after: /^/ },
	// Labels before the name and JSON, as in documents about tools, but with values.
	{
		before: /(?:^|\n)(?:(?:function|tool)(?:[ _](?:call|name))?|name): ?["']?$/i,
		after: /^["']?\n(?:arguments|args|parameters|input): ?\n?\{ ?["'}]/i,
	},
	// Directly after a mark that only calls have.
	{
		before: /<[^<>]{0,40}(?:tool|function)[_▁]?calls?[^<>]{0,20}> ?\n?$|\[TOOL_CALLS\] ?$/i,
		after: /^/,
	},
];

/** gpt-oss whose special tokens a server removed: the format of the arguments follows the name directly. */
const GLUED_BEFORE = /\bto=functions\.$/;
const GLUED_AFTER = /^[a-z]{1,12} ?\n?\{ ?\n?["'}]/;

const BLANKS = /[^\S\n]+/g;
/** After blanks were folded. */
const LINE_BREAKS = / ?\n[ \n]*/g;

/**
 * Gemma 3 puts its calls into such a block (ai.google.dev/gemma/docs/capabilities/function-calling), Command R after `Action:`
 * (its chat template), as LangChain's structured chat agent does.
 */
const CODE_OF_TOOLS = /```tool_code(?=\s)|(?<=^ {0,3}Action:\s{0,9})```(?:json)?(?=\s)/gm;
/** Models emphasize words, and write typographic quotation marks. */
const EMPHASIS = /\*\*|__(?=\W|$)/g;
const QUOTES = /\\"|[“”„]/g;

/** The name of the first offered tool that a text seems to call outside of code; undefined if there is none. */
export function findUnreadCall(source: string, tools: readonly string[]): string | undefined {
	if (!/[<[{(:]/.test(source)) return undefined;
	const text = source
		.replaceAll(EMPHASIS, '')
		.replaceAll(CODE_OF_TOOLS, '<tool_code>')
		.replaceAll(QUOTES, '"');
	return (
		findCalledName(text, tools) ?? findNameInMarks(text, tools) ?? findNameNearMark(text, tools)
	);
}

/** The name of the first tool around which there is the syntax of a call. */
function findCalledName(text: string, tools: readonly string[]): string | undefined {
	const prose = blankOutCode(text).replace(BLANKS, ' ').replace(LINE_BREAKS, '\n');
	let occurrences = 0;
	for (const name of tools) {
		for (let at = prose.indexOf(name); at >= 0; at = prose.indexOf(name, at + name.length)) {
			occurrences += 1;
			if (occurrences > MAX_OCCURRENCES) return undefined;
			if (isCalledAt(prose, { at, length: name.length })) return name;
		}
	}
	return undefined;
}

function isCalledAt(text: string, { at, length }: { at: number; length: number }): boolean {
	// Blanks and line breaks were folded: a line break counts as a blank where the syntax allows either.
	const allBefore = text.slice(Math.max(0, at - MAX_BEFORE), at);
	const after = text.slice(at + length, at + length + MAX_AFTER);
	if (GLUED_BEFORE.test(allBefore) && GLUED_AFTER.test(after)) return true;
	if (/[\w-]$/.test(allBefore) || /^[\w-]/.test(after)) return false;
	const before = allBefore.replace(NAMESPACE, '');
	const name = text.slice(at, at + length);
	return (
		(isElement({ before, after }) && NO_TAG_OF_HTML.test(name)) ||
		BARE_ARGUMENTS.test(after) ||
		HEADERS.some((header) => header.before.test(before) && header.after.test(after)) ||
		IN_TAG.test(before.replaceAll('\n', ' ')) ||
		hasCallSyntax({ before: before.replaceAll('\n', ' '), after })
	);
}

/** The text around a name. */
interface NameContext {
	before: string;
	after: string;
}

/** HTML's own tags are words. */
const NO_TAG_OF_HTML = /[_.-]/;

/** Whether an element has the name of the tool: `<N/>`, or `<N>` with elements or nothing in it. */
function isElement({ before, after }: NameContext): boolean {
	return before.endsWith('<') && /^ ?(?:\/>|>\s?<)/.test(after);
}

/** Whether a tag, a token or brackets before a name, and what follows it, make a call. */
function hasCallSyntax({ before, after }: NameContext): boolean {
	const hasArguments = ARGUMENTS.test(after);
	const opened = AFTER_TAG.exec(before)?.[1] ?? '';
	if (/[{[(:=]/.test(opened)) return true;
	if (hasArguments)
		return [AFTER_TAG, AFTER_TOKEN, IN_BRACKETS].some((pattern) => pattern.test(before));
	if (AFTER_TOKEN.test(before) && /^\s*```/.test(after)) return true;
	return AFTER_KEY.test(before) && ARGUMENTS_KEY.test(after.replaceAll('\n', ' '));
}

/** Longer content of a mark is not looked at, nor that of all marks together. */
const MAX_CONTENT = 10_000;
const MAX_CONTENTS = 100_000;
/** The content of a mark that only calls have, or JSON or nothing but a name after any other one. */
const STRUCTURE = /^\s*[[{]/;
const BEFORE_NAME = /^["'`([{\s]*$/;
const AFTER_NAME = /^["'`]?\s*(?:$|[<([{,;|=\])}\n])/;

/** The name of a tool in the content of a mark that no reader reads. */
function findNameInMarks(text: string, tools: readonly string[]): string | undefined {
	let marks = 0;
	let read = 0;
	for (const { index } of findBeginnings(text)) {
		JSON_MARK.lastIndex = index;
		const mark = JSON_MARK.exec(text)?.[0].trim();
		if (mark === undefined || isOtherMark(mark)) continue;
		marks += 1;
		if (marks > MAX_MARKS || read > MAX_CONTENTS) return undefined;
		const start = index + mark.length;
		const content = getContent({ mark, text: text.slice(start, start + MAX_CONTENT) });
		read += content.length;
		const name = tools.find((tool) => isNamedIn(content, { tool, isInCallMark: isCallMark(mark) }));
		if (name !== undefined) return name;
	}
	return undefined;
}

/** The text between a mark and its end; the complete text after it if it has none, and is no prose. */
function getContent({ mark, text }: { mark: string; text: string }): string {
	const end = text.indexOf(getClosingMark(mark));
	if (getClosingMark(mark) !== mark && end >= 0) return text.slice(0, end);
	if (isBareToken(mark)) return text;
	return STRUCTURE.test(text) || !/\s\S/.test(text.trim()) ? text : '';
}

function isCallMark(mark: string): boolean {
	return mark.startsWith('[') || CALL_MARK.test(mark);
}

function isNamedIn(
	content: string,
	{ tool, isInCallMark }: { tool: string; isInCallMark: boolean },
): boolean {
	const at = content.indexOf(tool);
	const before = content.slice(0, at);
	const after = content.slice(at + tool.length);
	if (at < 0 || /[\w-]$/.test(before) || /^[\w-]/.test(after)) return false;
	return (
		isInCallMark || STRUCTURE.test(content) || (BEFORE_NAME.test(before) && AFTER_NAME.test(after))
	);
}

/** A mark of a call, in a text that is searched for all of them. */
const ANY_CALL_MARK = new RegExp(`${CALL_MARK.source}|${ELEMENT_END.source}`, 'gi');
/** What is around a mark, on either side of it. */
const MAX_AROUND = 300;
/** What follows the name of a call, whatever its syntax is; the mark of an argument may follow the name directly. */
const AFTER_CALLED_NAME =
	/^["']?(?:\s{0,9}(?:[({<[>}]|,\s{0,9}["'](?:arg|param|input))|\s{0,9}\n\s{0,9}```|ARGS\])/;

/**
 * The name of a tool near a mark that only calls have, with its arguments or the end of its element: what is left of a call
 * with a sign too few or too many.
 */
function findNameNearMark(text: string, tools: readonly string[]): string | undefined {
	let marks = 0;
	for (const { 0: mark, index } of blankOutCode(text).matchAll(ANY_CALL_MARK)) {
		marks += 1;
		if (marks > MAX_MARKS) return undefined;
		const around = text.slice(Math.max(0, index - MAX_AROUND), index + mark.length + MAX_AROUND);
		const name = tools.find((tool) => isCalledIn(around, tool));
		if (name !== undefined) return name;
	}
	return undefined;
}

function isCalledIn(text: string, tool: string): boolean {
	for (let at = text.indexOf(tool); at >= 0; at = text.indexOf(tool, at + tool.length))
		if (AFTER_CALLED_NAME.test(text.slice(at + tool.length, at + tool.length + MAX_AFTER)))
			return true;
	return false;
}

/** A mark before JSON. */
const JSON_MARK = new RegExp(
	`(?:${TAG_OF_TOOLS.source}|\\[TOOL_(?:CALLS|REQUEST)\\]|functools)\\s*`,
	'iy',
);
/** The name in JSON of a call, which may be cut off at any place after its first letter. */
const JSON_NAME = /\[?\s*\{[^]{0,2000}?["']name["']\s*:\s*["']([\w.-]{1,128})/y;
/** A text with more marks is about them. */
const MAX_MARKS = 100;

/**
 * The name in the JSON of a call that begins after a mark and has no end, whether such a tool is offered or not; undefined
 * if there is none.
 */
export function findUnfinishedCall(text: string): string | undefined {
	let marks = 0;
	for (const { index } of findBeginnings(text)) {
		JSON_MARK.lastIndex = index;
		const mark = JSON_MARK.exec(text)?.[0];
		if (mark === undefined || isOtherMark(mark)) continue;
		marks += 1;
		if (marks > MAX_MARKS) return undefined;
		JSON_NAME.lastIndex = index + mark.length;
		const name = JSON_NAME.exec(text)?.[1];
		if (name !== undefined) return name;
	}
	return undefined;
}

/** Whether a text has a mark of a call outside of code, or the end of an element of one. */
export function hasCallMark(text: string): boolean {
	const visible = blankOutCode(text);
	return CALL_MARK.test(visible) || ELEMENT_END.test(visible);
}

/**
 * The tool of markup next to the calls that the server parsed, unless it repeats one of them.
 *
 * @param parsedCalls calls that the server parsed
 */
export function findIgnoredCall(
	text: string,
	tools: readonly string[],
	parsedCalls: readonly RawToolCall[],
): string | undefined {
	const letters = normalizeLetters(text);
	const complete = readTextCalls(text).candidates.filter(({ problems }) => problems.length === 0);
	const isRepeated = (tool: string) =>
		complete.some((call) => call.name === tool && isSameAsOne(tool, call.arguments ?? '')) ||
		parsedCalls.some(({ name, arguments: args }) => {
			const argumentLetters = normalizeLetters(args);
			return name === tool && argumentLetters !== '' && letters.includes(argumentLetters);
		});
	const isSameAsOne = (tool: string, args: string) =>
		parsedCalls.some(
			(call) => call.name === tool && normalizeLetters(call.arguments) === normalizeLetters(args),
		);
	const unread = findUnreadCall(
		text,
		tools.filter((tool) => !isRepeated(tool)),
	);
	if (unread !== undefined) return unread;
	const unfinished = findUnfinishedCall(text);
	return unfinished === undefined || isRepeated(unfinished) ? undefined : unfinished;
}
